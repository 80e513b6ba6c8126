(* The activation log_sigmoid. *)
(* Made from its definition in the library; Coq is what checks it. *)

From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
Open Scope R_scope.

(* The case distinction of a function with a kink: b below, a above, a mean of both with weight w at the kink. *)
Definition switch (c b a w : R) : R :=
  if Rlt_dec c 0 then b else if Rlt_dec 0 c then a else (1 - w) * b + w * a.
Lemma switch_below : forall c b a w : R, c < 0 -> switch c b a w = b.
Proof. intros. unfold switch. destruct (Rlt_dec c 0); lra. Qed.
Lemma switch_above : forall c b a w : R, 0 < c -> switch c b a w = a.
Proof. intros. unfold switch. destruct (Rlt_dec c 0); [lra|]. destruct (Rlt_dec 0 c); lra. Qed.
Lemma switch_at : forall c b a w : R, c = 0 -> switch c b a w = (1 - w) * b + w * a.
Proof. intros. unfold switch. destruct (Rlt_dec c 0); [lra|]. destruct (Rlt_dec 0 c); lra. Qed.
Lemma near_below : forall (c : R -> R) (x : R), ex_derive c x -> c x < 0 -> locally x (fun t : R => c t < 0).
Proof. intros c x D H. exact (ex_derive_continuous c x D _ (open_lt 0 (c x) H)). Qed.
Lemma near_above : forall (c : R -> R) (x : R), ex_derive c x -> 0 < c x -> locally x (fun t : R => 0 < c t).
Proof. intros c x D H. exact (ex_derive_continuous c x D _ (open_gt 0 (c x) H)). Qed.
Lemma near : forall (P Q : R -> Prop) (x : R), (forall t : R, P t -> Q t) -> locally x P -> locally x Q.
Proof. intros P Q x H. apply filter_imp. exact H. Qed.

(* A value with a name, and what a function is at an argument that is written in another way. *)
Lemma named : forall a : R, exists v : R, v = a.
Proof. intro a. exists a. reflexivity. Qed.
Lemma call_is : forall (f : R -> R) (t c v : R), f c = v -> t = c -> f t = v.
Proof. intros f t c v H E. rewrite E. exact H. Qed.
Lemma root_is : forall u v : R, 0 < v -> v * v = u -> sqrt u = v.
Proof. intros u v P E. rewrite <- E. apply sqrt_square. lra. Qed.
Lemma two_below : forall a b : R, a < 0 -> b < 0 -> 0 < a / b.
Proof. intros a b A B. replace (a / b) with (- a * / (- b)) by (field; lra).
  apply Rmult_lt_0_compat; [lra|]. apply Rinv_0_lt_compat. lra. Qed.
Definition relation (a b : R) : Prop := a = b.

(* Signs, by the shape of a term and by linear and nonlinear arithmetic. *)
Ltac pos :=
  match goal with
  | |- _ /\ _ => split; pos
  | |- True => exact I
  | H : ?P |- ?P => exact H
  | |- 0 < exp _ => apply exp_pos
  | |- 0 < PI => exact PI_RGT_0
  | |- 0 < sqrt _ => apply sqrt_lt_R0; pos
  | |- 0 < _ + _ => apply Rplus_lt_0_compat; pos
  | |- 0 < _ + _ => apply Rplus_lt_le_0_compat; pos
  | |- 0 < _ + _ => apply Rplus_le_lt_0_compat; pos
  | |- 0 < _ * _ => apply Rmult_lt_0_compat; pos
  | |- 0 < / _ => apply Rinv_0_lt_compat; pos
  | |- 0 < _ / _ => apply Rdiv_lt_0_compat; pos
  | |- 0 < _ / _ => apply two_below; lra
  | |- 0 < _ ^ _ => apply pow_lt; pos
  | |- 0 <= _ ^ 2 => apply pow2_ge_0
  | |- 0 <= ?a * ?a => apply Rle_0_sqr
  | |- 0 <= ?a * (?a * 1) => rewrite Rmult_1_r; apply Rle_0_sqr
  | |- 0 <= _ + _ => apply Rplus_le_le_0_compat; pos
  | |- 0 <= _ * _ => apply Rmult_le_pos; pos
  | |- 0 <= sqrt _ => apply sqrt_pos
  | |- 0 <= _ => apply Rlt_le; pos
  | |- _ <> 0 => apply Rgt_not_eq; unfold Rgt; pos
  | |- _ * _ <> 0 => apply Rmult_integral_contrapositive_currified; pos
  | |- / _ <> 0 => apply Rinv_neq_0_compat; pos
  | |- _ ^ _ <> 0 => apply pow_nonzero; pos
  | |- _ => lra
  | |- _ => nra
  end.

Ltac fraction :=
  match goal with
  | |- 0 < ?e => field_simplify e; pos
  | |- _ <> 0 => apply Rgt_not_eq; unfold Rgt; fraction
  end.
Ltac sign := first [ pos | fraction ].

(* Equality of fractions, where some squares are known. *)
Ltac related :=
  match goal with
  | A : relation _ _, B : relation _ _, C : relation _ _ |- _ => unfold relation in A, B, C; ring [A B C]
  | A : relation _ _, B : relation _ _ |- _ => unfold relation in A, B; ring [A B]
  | A : relation _ _ |- _ => unfold relation in A; ring [A]
  end.
Ltac same :=
  match goal with |- ?a = ?b => change (@eq R a b) end;
  first [ reflexivity | ring | field; pos
        | match goal with _ : relation _ _ |- _ => idtac end;
          first [ related | field_simplify_eq; [ related | pos .. ] ] ].
Ltac rename_call f E :=
  match type of E with
  | _ = ?v => repeat match goal with |- context [f ?t] => rewrite (call_is f t _ v E) by same end
  end.

Ltac switches :=
  repeat match goal with
  | |- context [switch ?c ?b ?a ?w] =>
      first [ rewrite (switch_below c b a w) by (lra || nra) | rewrite (switch_above c b a w) by (lra || nra)
            | rewrite (switch_at c b a w) by (lra || nra) ]
  end.
Ltac alike := first [ same | progress f_equal; alike ].

Definition sigmoid (x : R) : R := 1 / (1 + exp (- x)).
Definition log_sigmoid (x : R) : R := ln (sigmoid x).

Theorem log_sigmoid_slope : forall (x : R), is_derive (fun x : R => log_sigmoid x) x (1 - sigmoid x).
Proof.
  intros x.
  cbv beta delta [sigmoid log_sigmoid] in *.
  destruct (named (exp (x))) as [G1 HG1].
  assert (EG1 : exp (x) = G1) by (symmetry; exact HG1).
  assert (PG1 : 0 < G1) by (rewrite HG1; apply exp_pos).
  assert (E1 : exp (- x) = 1 / G1) by (rewrite ?exp_plus, ?exp_Ropp, ?EG1; same).
  destruct (named (ln (G1 + 1))) as [L1 HL1].
  assert (EL1 : ln (G1 + 1) = L1) by (symmetry; exact HL1).
  assert (XL1 : exp L1 = G1 + 1) by (rewrite HL1; apply exp_ln; sign).
  assert (E2 : ln (1 / (1 + 1 / G1)) = x + - L1) by (apply exp_inv; rewrite exp_ln by sign; rewrite ?exp_plus, ?exp_Ropp, ?exp_0, ?EG1, ?XL1; same).
  auto_derive.
  { repeat match goal with |- _ /\ _ => split end; first [ pos | do 2 (rename_call exp EG1; rename_call exp E1; rename_call ln EL1; rename_call ln E2); sign ]. }
  do 2 (rename_call exp EG1; rename_call exp E1; rename_call ln EL1; rename_call ln E2).
  same.
Qed.

Theorem log_sigmoid_stable : forall (x : R), log_sigmoid x = switch x x 0 (1 / 2) - ln (1 + exp (- switch x (- x) x (1 / 2))).
Proof.
  intros x.
  cbv beta delta [sigmoid log_sigmoid] in *.
  destruct (Rtotal_order (x) 0) as [K1 | [K1 | K1]].
  {
    switches.
    destruct (named (exp (x))) as [G1 HG1].
    assert (EG1 : exp (x) = G1) by (symmetry; exact HG1).
    assert (PG1 : 0 < G1) by (rewrite HG1; apply exp_pos).
    assert (E1 : exp (- x) = 1 / G1) by (rewrite ?exp_plus, ?exp_Ropp, ?EG1; same).
    destruct (named (ln (G1 + 1))) as [L1 HL1].
    assert (EL1 : ln (G1 + 1) = L1) by (symmetry; exact HL1).
    assert (XL1 : exp L1 = G1 + 1) by (rewrite HL1; apply exp_ln; sign).
    assert (E2 : ln (1 / (1 + 1 / G1)) = x + - L1) by (apply exp_inv; rewrite exp_ln by sign; rewrite ?exp_plus, ?exp_Ropp, ?exp_0, ?EG1, ?XL1; same).
    do 2 (rename_call exp EG1; rename_call exp E1; rename_call ln EL1; rename_call ln E2).
    same.
  }
  {
    assert (VK1 : x = 0) by lra. subst x.
    switches.
    assert (E1 : exp (0) = 1) by (exact exp_0).
    destruct (named (ln (2))) as [L1 HL1].
    assert (EL1 : ln (2) = L1) by (symmetry; exact HL1).
    assert (XL1 : exp L1 = 2) by (rewrite HL1; apply exp_ln; sign).
    assert (E2 : ln (1 / 2) = - L1) by (apply exp_inv; rewrite exp_ln by sign; rewrite ?exp_plus, ?exp_Ropp, ?exp_0, ?XL1; same).
    do 2 (rename_call exp E1; rename_call ln EL1; rename_call ln E2).
    same.
  }
  {
    switches.
    destruct (named (exp (x))) as [G1 HG1].
    assert (EG1 : exp (x) = G1) by (symmetry; exact HG1).
    assert (PG1 : 0 < G1) by (rewrite HG1; apply exp_pos).
    assert (E1 : exp (- x) = 1 / G1) by (rewrite ?exp_plus, ?exp_Ropp, ?EG1; same).
    destruct (named (ln (G1 + 1))) as [L1 HL1].
    assert (EL1 : ln (G1 + 1) = L1) by (symmetry; exact HL1).
    assert (XL1 : exp L1 = G1 + 1) by (rewrite HL1; apply exp_ln; sign).
    assert (E2 : ln (1 / (1 + 1 / G1)) = x + - L1) by (apply exp_inv; rewrite exp_ln by sign; rewrite ?exp_plus, ?exp_Ropp, ?exp_0, ?EG1, ?XL1; same).
    assert (E3 : ln (1 + 1 / G1) = L1 + - x) by (apply exp_inv; rewrite exp_ln by sign; rewrite ?exp_plus, ?exp_Ropp, ?exp_0, ?XL1, ?EG1; same).
    do 2 (rename_call exp EG1; rename_call exp E1; rename_call ln EL1; rename_call ln E2; rename_call ln E3).
    same.
  }
Qed.
