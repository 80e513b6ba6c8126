(* The activation gelu_tanh: its range, and how steep it is. *)

From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Interval Require Import Tactic.
From Interval.Float Require Import Specific_ops Specific_stdz.
Module Floats := SpecificFloat StdZRadix2.
Module Intervals := IntervalTactic Floats.
Import Intervals.
Open Scope R_scope.

Definition tanh (x : R) : R := (exp x - exp (- x)) / (exp x + exp (- x)).

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

(* Inequalities of fractions: the difference as one fraction, and the sign of what stands above. *)
Lemma quotient_not_below : forall a b : R, 0 <= a -> 0 < b -> 0 <= a / b.
Proof. intros a b A B. apply Rmult_le_pos; [exact A|]. left. apply Rinv_0_lt_compat. exact B. Qed.
Lemma exp_below : forall t : R, t <= 0 -> exp t <= 1.
Proof. intros t H. rewrite <- exp_0. destruct H as [H | H]; [left; apply exp_increasing; exact H | rewrite H; lra]. Qed.
Ltac difference :=
  match goal with
  | |- ?a < ?b => cut (0 < b - a); [ lra | ];
      first [ pos | field_simplify (b - a); [ first [ pos | apply Rdiv_lt_0_compat; [ nra | pos ] | nra ] | pos .. ] ]
  | |- ?a <= ?b => cut (0 <= b - a); [ lra | ];
      first [ pos | field_simplify (b - a); [ first [ pos | apply quotient_not_below; [ nra | pos ] | nra ] | pos .. ] ]
  end.

Lemma tanh_is : forall u : R, tanh u = 1 - 2 / (exp (2 * u) + 1).
Proof.
  intro u. unfold tanh. replace (2 * u) with (u + u) by ring. rewrite exp_plus, exp_Ropp.
  generalize (exp_pos u). intro P. field. split; nra.
Qed.
Lemma exp_twice : forall w : R, 0 < w -> exp (2 * ln w) = w ^ 2.
Proof. intros w P. replace (2 * ln w) with (ln w + ln w) by ring. rewrite exp_plus, exp_ln by exact P. ring. Qed.
Ltac narrow :=
  rewrite ?tanh_is;
  repeat match goal with |- context [exp (2 * ln ?w)] => rewrite (exp_twice w) by pos end.

Definition gelu_tanh (x : R) : R := x * (tanh (sqrt 2 * (8943 * x ^ 3 / 200000 + x) / sqrt PI) + 1) / 2.
Definition sigmoid (x : R) : R := 1 / (1 + exp (- x)).

Theorem gelu_tanh_range : forall (x : R), - 8 <= x <= 8 -> - 1701 / 10000 <= gelu_tanh x.
Proof.
  intros x H.
  cbv beta delta [gelu_tanh].
  narrow.
  interval with (i_bisect x, i_autodiff x, i_depth 24, i_prec 40).
Qed.

Theorem gelu_tanh_steepness : forall (x : R), - 8 <= x <= 8 -> - 1129 / 1000 <= (2 * sqrt 2 * x * (1 - sigmoid (2 * sqrt 2 * (8943 * x ^ 3 / 200000 + x) / sqrt PI)) * (26829 * x ^ 2 / 200000 + 1) / sqrt PI + 1) * sigmoid (2 * sqrt 2 * (8943 * x ^ 3 / 200000 + x) / sqrt PI) <= 1129 / 1000.
Proof.
  intros x H.
  cbv beta delta [gelu_tanh sigmoid].
  narrow.
  interval with (i_bisect x, i_autodiff x, i_depth 24, i_prec 40).
Qed.
