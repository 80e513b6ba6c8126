(* The activation gelu. *)
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

Definition erf (x : R) : R := 2 / sqrt PI * RInt (fun t : R => exp (- t ^ 2)) 0 x.
Lemma erf_slope : forall x : R, is_derive erf x (2 / sqrt PI * exp (- x ^ 2)).
Proof.
  intro x. unfold erf.
  apply (is_derive_scal (fun y : R => RInt (fun t : R => exp (- t ^ 2)) 0 y) x (2 / sqrt PI)).
  apply (is_derive_RInt (fun t : R => exp (- t ^ 2)) _ 0 x).
  - apply filter_forall. intro y. apply @RInt_correct. apply @ex_RInt_continuous. intros z _.
    apply (ex_derive_continuous (fun t : R => exp (- t ^ 2))). auto_derive. exact I.
  - apply (ex_derive_continuous (fun t : R => exp (- t ^ 2))). auto_derive. exact I.
Qed.
Lemma erf_odd : forall x : R, erf (- x) = - erf x.
Proof.
  intro x. unfold erf.
  assert (E : RInt (fun t : R => exp (- t ^ 2)) 0 (- x) = - RInt (fun t : R => exp (- t ^ 2)) 0 x).
  { apply is_RInt_unique.
    apply (is_RInt_ext (fun t : R => opp (opp (exp (- (- t) ^ 2))))).
    { intros t _. rewrite opp_opp. f_equal. ring. }
    apply (is_RInt_comp_opp (fun t : R => opp (exp (- t ^ 2)))). rewrite Ropp_0, Ropp_involutive.
    apply @is_RInt_opp. apply @RInt_correct. apply @ex_RInt_continuous. intros z _.
    apply (ex_derive_continuous (fun t : R => exp (- t ^ 2))). auto_derive. exact I. }
  rewrite E. ring.
Qed.
Lemma erf_at_0 : erf 0 = 0.
Proof. generalize (erf_odd 0). rewrite Ropp_0. lra. Qed.

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
  | |- ex_derive _ _ => eexists; apply erf_slope
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

Definition Phi (x : R) : R := erf (sqrt 2 * x / 2) / 2 + 1 / 2.
Definition gelu (x : R) : R := x * Phi x.

Theorem gelu_slope : forall (x : R), is_derive (fun x : R => gelu x) x (sqrt 2 * x * exp (- x ^ 2 / 2) / (2 * sqrt PI) + Phi x).
Proof.
  intros x.
  cbv beta delta [Phi gelu] in *.
  destruct (named (sqrt (2))) as [S1 HS1].
  assert (ES1 : sqrt (2) = S1) by (symmetry; exact HS1).
  assert (PS1 : 0 < S1) by (rewrite HS1; apply sqrt_lt_R0; sign).
  assert (QS1 : S1 * S1 = 2) by (rewrite HS1; apply sqrt_sqrt; sign).
  assert (RS1 : relation (S1 ^ 2) (2)) by (unfold relation; rewrite <- QS1; ring).
  destruct (named (erf (S1 * x / 2))) as [F1 HF1].
  assert (EF1 : erf (S1 * x / 2) = F1) by (symmetry; exact HF1).
  assert (E1 : erf (- (S1 * x / 2)) = - F1) by (rewrite erf_odd; rewrite ?EF1; reflexivity).
  destruct (named (sqrt (PI))) as [S2 HS2].
  assert (ES2 : sqrt (PI) = S2) by (symmetry; exact HS2).
  assert (PS2 : 0 < S2) by (rewrite HS2; apply sqrt_lt_R0; sign).
  assert (QS2 : S2 * S2 = PI) by (rewrite HS2; apply sqrt_sqrt; sign).
  assert (RS2 : relation (S2 ^ 2) (PI)) by (unfold relation; rewrite <- QS2; ring).
  destruct (named (exp (x ^ 2 / 2))) as [G1 HG1].
  assert (EG1 : exp (x ^ 2 / 2) = G1) by (symmetry; exact HG1).
  assert (PG1 : 0 < G1) by (rewrite HG1; apply exp_pos).
  assert (E2 : exp (- (x ^ 2 / 2)) = 1 / G1) by (rewrite ?exp_plus, ?exp_Ropp, ?EG1; same).
  auto_derive.
  { repeat match goal with |- _ /\ _ => split end; first [ pos | do 2 (rename_call sqrt ES1; rename_call erf EF1; rename_call erf E1; rename_call sqrt ES2; rename_call exp EG1; rename_call exp E2); sign ]. }
  repeat rewrite (is_derive_unique _ _ _ (erf_slope _)).
  do 2 (rename_call sqrt ES1; rename_call erf EF1; rename_call erf E1; rename_call sqrt ES2; rename_call exp EG1; rename_call exp E2).
  same.
Qed.

Theorem Phi_slope : forall (x : R), is_derive (fun x : R => Phi x) x (sqrt 2 * exp (- x ^ 2 / 2) / (2 * sqrt PI)).
Proof.
  intros x.
  cbv beta delta [Phi gelu] in *.
  destruct (named (sqrt (2))) as [S1 HS1].
  assert (ES1 : sqrt (2) = S1) by (symmetry; exact HS1).
  assert (PS1 : 0 < S1) by (rewrite HS1; apply sqrt_lt_R0; sign).
  assert (QS1 : S1 * S1 = 2) by (rewrite HS1; apply sqrt_sqrt; sign).
  assert (RS1 : relation (S1 ^ 2) (2)) by (unfold relation; rewrite <- QS1; ring).
  destruct (named (erf (S1 * x / 2))) as [F1 HF1].
  assert (EF1 : erf (S1 * x / 2) = F1) by (symmetry; exact HF1).
  assert (E1 : erf (- (S1 * x / 2)) = - F1) by (rewrite erf_odd; rewrite ?EF1; reflexivity).
  destruct (named (sqrt (PI))) as [S2 HS2].
  assert (ES2 : sqrt (PI) = S2) by (symmetry; exact HS2).
  assert (PS2 : 0 < S2) by (rewrite HS2; apply sqrt_lt_R0; sign).
  assert (QS2 : S2 * S2 = PI) by (rewrite HS2; apply sqrt_sqrt; sign).
  assert (RS2 : relation (S2 ^ 2) (PI)) by (unfold relation; rewrite <- QS2; ring).
  destruct (named (exp (x ^ 2 / 2))) as [G1 HG1].
  assert (EG1 : exp (x ^ 2 / 2) = G1) by (symmetry; exact HG1).
  assert (PG1 : 0 < G1) by (rewrite HG1; apply exp_pos).
  assert (E2 : exp (- (x ^ 2 / 2)) = 1 / G1) by (rewrite ?exp_plus, ?exp_Ropp, ?EG1; same).
  auto_derive.
  { repeat match goal with |- _ /\ _ => split end; first [ pos | do 2 (rename_call sqrt ES1; rename_call erf EF1; rename_call erf E1; rename_call sqrt ES2; rename_call exp EG1; rename_call exp E2); sign ]. }
  repeat rewrite (is_derive_unique _ _ _ (erf_slope _)).
  do 2 (rename_call sqrt ES1; rename_call erf EF1; rename_call erf E1; rename_call sqrt ES2; rename_call exp EG1; rename_call exp E2).
  same.
Qed.

Theorem Phi_stable : forall (x : R), Phi x = switch x ((1 - erf (sqrt 2 * switch x (- x) x (1 / 2) / 2)) / 2) (1 - (1 - erf (sqrt 2 * switch x (- x) x (1 / 2) / 2)) / 2) 1.
Proof.
  intros x.
  cbv beta delta [Phi gelu] in *.
  destruct (Rtotal_order (x) 0) as [K1 | [K1 | K1]].
  {
    switches.
    destruct (named (sqrt (2))) as [S1 HS1].
    assert (ES1 : sqrt (2) = S1) by (symmetry; exact HS1).
    assert (PS1 : 0 < S1) by (rewrite HS1; apply sqrt_lt_R0; sign).
    assert (QS1 : S1 * S1 = 2) by (rewrite HS1; apply sqrt_sqrt; sign).
    assert (RS1 : relation (S1 ^ 2) (2)) by (unfold relation; rewrite <- QS1; ring).
    destruct (named (erf (S1 * x / 2))) as [F1 HF1].
    assert (EF1 : erf (S1 * x / 2) = F1) by (symmetry; exact HF1).
    assert (E1 : erf (- (S1 * x / 2)) = - F1) by (rewrite erf_odd; rewrite ?EF1; reflexivity).
    destruct (named (sqrt (PI))) as [S2 HS2].
    assert (ES2 : sqrt (PI) = S2) by (symmetry; exact HS2).
    assert (PS2 : 0 < S2) by (rewrite HS2; apply sqrt_lt_R0; sign).
    assert (QS2 : S2 * S2 = PI) by (rewrite HS2; apply sqrt_sqrt; sign).
    assert (RS2 : relation (S2 ^ 2) (PI)) by (unfold relation; rewrite <- QS2; ring).
    destruct (named (exp (x ^ 2 / 2))) as [G1 HG1].
    assert (EG1 : exp (x ^ 2 / 2) = G1) by (symmetry; exact HG1).
    assert (PG1 : 0 < G1) by (rewrite HG1; apply exp_pos).
    assert (E2 : exp (- (x ^ 2 / 2)) = 1 / G1) by (rewrite ?exp_plus, ?exp_Ropp, ?EG1; same).
    do 2 (rename_call sqrt ES1; rename_call erf EF1; rename_call erf E1; rename_call sqrt ES2; rename_call exp EG1; rename_call exp E2).
    same.
  }
  {
    assert (VK1 : x = 0) by lra. subst x.
    switches.
    destruct (named (sqrt (2))) as [S1 HS1].
    assert (ES1 : sqrt (2) = S1) by (symmetry; exact HS1).
    assert (PS1 : 0 < S1) by (rewrite HS1; apply sqrt_lt_R0; sign).
    assert (QS1 : S1 * S1 = 2) by (rewrite HS1; apply sqrt_sqrt; sign).
    assert (RS1 : relation (S1 ^ 2) (2)) by (unfold relation; rewrite <- QS1; ring).
    assert (E1 : erf (0) = 0) by (exact erf_at_0).
    do 2 (rename_call sqrt ES1; rename_call erf E1).
    same.
  }
  {
    switches.
    destruct (named (sqrt (2))) as [S1 HS1].
    assert (ES1 : sqrt (2) = S1) by (symmetry; exact HS1).
    assert (PS1 : 0 < S1) by (rewrite HS1; apply sqrt_lt_R0; sign).
    assert (QS1 : S1 * S1 = 2) by (rewrite HS1; apply sqrt_sqrt; sign).
    assert (RS1 : relation (S1 ^ 2) (2)) by (unfold relation; rewrite <- QS1; ring).
    destruct (named (erf (S1 * x / 2))) as [F1 HF1].
    assert (EF1 : erf (S1 * x / 2) = F1) by (symmetry; exact HF1).
    assert (E1 : erf (- (S1 * x / 2)) = - F1) by (rewrite erf_odd; rewrite ?EF1; reflexivity).
    destruct (named (sqrt (PI))) as [S2 HS2].
    assert (ES2 : sqrt (PI) = S2) by (symmetry; exact HS2).
    assert (PS2 : 0 < S2) by (rewrite HS2; apply sqrt_lt_R0; sign).
    assert (QS2 : S2 * S2 = PI) by (rewrite HS2; apply sqrt_sqrt; sign).
    assert (RS2 : relation (S2 ^ 2) (PI)) by (unfold relation; rewrite <- QS2; ring).
    destruct (named (exp (x ^ 2 / 2))) as [G1 HG1].
    assert (EG1 : exp (x ^ 2 / 2) = G1) by (symmetry; exact HG1).
    assert (PG1 : 0 < G1) by (rewrite HG1; apply exp_pos).
    assert (E2 : exp (- (x ^ 2 / 2)) = 1 / G1) by (rewrite ?exp_plus, ?exp_Ropp, ?EG1; same).
    do 2 (rename_call sqrt ES1; rename_call erf EF1; rename_call erf E1; rename_call sqrt ES2; rename_call exp EG1; rename_call exp E2).
    same.
  }
Qed.

Theorem Phi_complement : forall (x : R), 1 - Phi x = Phi (- x).
Proof.
  intros x.
  cbv beta delta [Phi gelu] in *.
  switches.
  destruct (named (sqrt (2))) as [S1 HS1].
  assert (ES1 : sqrt (2) = S1) by (symmetry; exact HS1).
  assert (PS1 : 0 < S1) by (rewrite HS1; apply sqrt_lt_R0; sign).
  assert (QS1 : S1 * S1 = 2) by (rewrite HS1; apply sqrt_sqrt; sign).
  assert (RS1 : relation (S1 ^ 2) (2)) by (unfold relation; rewrite <- QS1; ring).
  destruct (named (erf (S1 * x / 2))) as [F1 HF1].
  assert (EF1 : erf (S1 * x / 2) = F1) by (symmetry; exact HF1).
  assert (E1 : erf (- (S1 * x / 2)) = - F1) by (rewrite erf_odd; rewrite ?EF1; reflexivity).
  destruct (named (sqrt (PI))) as [S2 HS2].
  assert (ES2 : sqrt (PI) = S2) by (symmetry; exact HS2).
  assert (PS2 : 0 < S2) by (rewrite HS2; apply sqrt_lt_R0; sign).
  assert (QS2 : S2 * S2 = PI) by (rewrite HS2; apply sqrt_sqrt; sign).
  assert (RS2 : relation (S2 ^ 2) (PI)) by (unfold relation; rewrite <- QS2; ring).
  destruct (named (exp (x ^ 2 / 2))) as [G1 HG1].
  assert (EG1 : exp (x ^ 2 / 2) = G1) by (symmetry; exact HG1).
  assert (PG1 : 0 < G1) by (rewrite HG1; apply exp_pos).
  assert (E2 : exp (- (x ^ 2 / 2)) = 1 / G1) by (rewrite ?exp_plus, ?exp_Ropp, ?EG1; same).
  do 2 (rename_call sqrt ES1; rename_call erf EF1; rename_call erf E1; rename_call sqrt ES2; rename_call exp EG1; rename_call exp E2).
  same.
Qed.
