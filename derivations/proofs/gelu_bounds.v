(* The activation gelu: its range, and how steep it is. *)

From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Interval Require Import Tactic.
From Interval.Float Require Import Specific_ops Specific_stdz.
Module Floats := SpecificFloat StdZRadix2.
Module Intervals := IntervalTactic Floats.
Import Intervals.
Open Scope R_scope.

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

Lemma near : forall f df : R -> R, (forall y, is_derive f y (df y)) ->
  forall c r M x : R, (forall y, c - r <= y <= c + r -> Rabs (df y) <= M) -> c - r <= x <= c + r ->
  Rabs (f x - f c) <= r * M.
Proof.
  intros f df D c r M x B H. destruct (MVT_gen f c x df) as [y [Y E]].
  - intros z _. apply D.
  - intros z _. apply derivable_continuous_pt. exists (df z). apply is_derive_Reals. apply D.
  - rewrite E, Rabs_mult, (Rmult_comm r M). apply Rmult_le_compat; try apply Rabs_pos.
    + apply B. unfold Rmin, Rmax in Y. destruct (Rle_dec c x); lra.
    + apply Rabs_le. lra.
Qed.
Lemma piece : forall f df d2f : R -> R, (forall y, is_derive f y (df y)) -> (forall y, is_derive df y (d2f y)) ->
  forall c r M x : R, (forall y, c - r <= y <= c + r -> Rabs (d2f y) <= M) -> c - r <= x <= c + r ->
  Rabs (f x - f c) <= r * (Rabs (df c) + r * M).
Proof.
  intros f df d2f D E c r M x B H. apply (near f df D); [| exact H].
  intros y Y. generalize (near df d2f E c r M y B Y). generalize (Rabs_triang (df y - df c) (df c)).
  replace (df y - df c + df c) with (df y) by ring. lra.
Qed.
Lemma piece_above : forall f df d2f : R -> R, (forall y, is_derive f y (df y)) ->
  (forall y, is_derive df y (d2f y)) -> forall c r M b x : R, (forall y, c - r <= y <= c + r -> Rabs (d2f y) <= M) ->
  b <= f c - r * (Rabs (df c) + r * M) -> c - r <= x <= c + r -> b <= f x.
Proof.
  intros f df d2f D E c r M b x B L H. generalize (piece f df d2f D E c r M x B H).
  unfold Rabs at 1. destruct (Rcase_abs (f x - f c)); lra.
Qed.
Lemma piece_within : forall f df d2f : R -> R, (forall y, is_derive f y (df y)) ->
  (forall y, is_derive df y (d2f y)) -> forall c r M a b x : R, (forall y, c - r <= y <= c + r -> Rabs (d2f y) <= M) ->
  Rabs (f c) + r * (Rabs (df c) + r * M) <= b -> a = - b -> c - r <= x <= c + r -> a <= f x <= b.
Proof.
  intros f df d2f D E c r M a b x B L S H. generalize (piece f df d2f D E c r M x B H). rewrite S.
  unfold Rabs at 1. generalize (Rabs_maj2 (f c)) (Rle_abs (f c)). destruct (Rcase_abs (f x - f c)); lra.
Qed.

Definition Phi (x : R) : R := erf (sqrt 2 * x / 2) / 2 + 1 / 2.
Definition gelu (x : R) : R := x * Phi x.

Theorem gelu_slope_1 : forall (x : R), is_derive (fun x : R => gelu x) x (sqrt 2 * x * exp (- x ^ 2 / 2) / (2 * sqrt PI) + Phi x).
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

Theorem gelu_slope_2 : forall (x : R), is_derive (fun x : R => sqrt 2 * x * exp (- x ^ 2 / 2) / (2 * sqrt PI) + Phi x) x (sqrt 2 * exp (- x ^ 2 / 2) / sqrt PI - sqrt 2 * x ^ 2 * exp (- x ^ 2 / 2) / (2 * sqrt PI)).
Proof.
  intros x.
  cbv beta delta [Phi gelu] in *.
  destruct (named (sqrt (2))) as [S1 HS1].
  assert (ES1 : sqrt (2) = S1) by (symmetry; exact HS1).
  assert (PS1 : 0 < S1) by (rewrite HS1; apply sqrt_lt_R0; sign).
  assert (QS1 : S1 * S1 = 2) by (rewrite HS1; apply sqrt_sqrt; sign).
  assert (RS1 : relation (S1 ^ 2) (2)) by (unfold relation; rewrite <- QS1; ring).
  destruct (named (sqrt (PI))) as [S2 HS2].
  assert (ES2 : sqrt (PI) = S2) by (symmetry; exact HS2).
  assert (PS2 : 0 < S2) by (rewrite HS2; apply sqrt_lt_R0; sign).
  assert (QS2 : S2 * S2 = PI) by (rewrite HS2; apply sqrt_sqrt; sign).
  assert (RS2 : relation (S2 ^ 2) (PI)) by (unfold relation; rewrite <- QS2; ring).
  destruct (named (exp (x ^ 2 / 2))) as [G1 HG1].
  assert (EG1 : exp (x ^ 2 / 2) = G1) by (symmetry; exact HG1).
  assert (PG1 : 0 < G1) by (rewrite HG1; apply exp_pos).
  assert (E1 : exp (- (x ^ 2 / 2)) = 1 / G1) by (rewrite ?exp_plus, ?exp_Ropp, ?EG1; same).
  destruct (named (erf (S1 * x / 2))) as [F1 HF1].
  assert (EF1 : erf (S1 * x / 2) = F1) by (symmetry; exact HF1).
  assert (E2 : erf (- (S1 * x / 2)) = - F1) by (rewrite erf_odd; rewrite ?EF1; reflexivity).
  auto_derive.
  { repeat match goal with |- _ /\ _ => split end; first [ pos | do 2 (rename_call sqrt ES1; rename_call sqrt ES2; rename_call exp EG1; rename_call exp E1; rename_call erf EF1; rename_call erf E2); sign ]. }
  repeat rewrite (is_derive_unique _ _ _ (erf_slope _)).
  do 2 (rename_call sqrt ES1; rename_call sqrt ES2; rename_call exp EG1; rename_call exp E1; rename_call erf EF1; rename_call erf E2).
  same.
Qed.

Theorem gelu_slope_3 : forall (x : R), is_derive (fun x : R => sqrt 2 * exp (- x ^ 2 / 2) / sqrt PI - sqrt 2 * x ^ 2 * exp (- x ^ 2 / 2) / (2 * sqrt PI)) x (sqrt 2 * x ^ 3 * exp (- x ^ 2 / 2) / (2 * sqrt PI) - 2 * sqrt 2 * x * exp (- x ^ 2 / 2) / sqrt PI).
Proof.
  intros x.
  cbv beta delta [Phi gelu] in *.
  destruct (named (sqrt (2))) as [S1 HS1].
  assert (ES1 : sqrt (2) = S1) by (symmetry; exact HS1).
  assert (PS1 : 0 < S1) by (rewrite HS1; apply sqrt_lt_R0; sign).
  assert (QS1 : S1 * S1 = 2) by (rewrite HS1; apply sqrt_sqrt; sign).
  assert (RS1 : relation (S1 ^ 2) (2)) by (unfold relation; rewrite <- QS1; ring).
  destruct (named (sqrt (PI))) as [S2 HS2].
  assert (ES2 : sqrt (PI) = S2) by (symmetry; exact HS2).
  assert (PS2 : 0 < S2) by (rewrite HS2; apply sqrt_lt_R0; sign).
  assert (QS2 : S2 * S2 = PI) by (rewrite HS2; apply sqrt_sqrt; sign).
  assert (RS2 : relation (S2 ^ 2) (PI)) by (unfold relation; rewrite <- QS2; ring).
  destruct (named (exp (x ^ 2 / 2))) as [G1 HG1].
  assert (EG1 : exp (x ^ 2 / 2) = G1) by (symmetry; exact HG1).
  assert (PG1 : 0 < G1) by (rewrite HG1; apply exp_pos).
  assert (E1 : exp (- (x ^ 2 / 2)) = 1 / G1) by (rewrite ?exp_plus, ?exp_Ropp, ?EG1; same).
  auto_derive.
  { repeat match goal with |- _ /\ _ => split end; first [ pos | do 2 (rename_call sqrt ES1; rename_call sqrt ES2; rename_call exp EG1; rename_call exp E1); sign ]. }
  do 2 (rename_call sqrt ES1; rename_call sqrt ES2; rename_call exp EG1; rename_call exp E1).
  same.
Qed.

Theorem gelu_range : forall (x : R), - 8 <= x <= 8 -> - 17 / 100 <= gelu x.
Proof.
  intros x H.
  destruct (Rle_lt_dec x (- 6)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 7) (1) (1 / 500)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 4)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 5) (1) (3 / 200)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 3)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 7 / 2) (1 / 2) (23 / 250)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 5 / 2)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 11 / 4) (1 / 4) (161 / 1000)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 2)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 9 / 4) (1 / 4) (163 / 500)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 3 / 2)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 7 / 4) (1 / 4) (89 / 200)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 5 / 4)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 11 / 8) (1 / 8) (97 / 500)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 1)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 9 / 8) (1 / 8) (67 / 200)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 7 / 8)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 15 / 16) (1 / 16) (46 / 125)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 13 / 16)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 27 / 32) (1 / 32) (397 / 1000)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 25 / 32)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 51 / 64) (1 / 64) (83 / 200)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 49 / 64)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 99 / 128) (1 / 128) (53 / 125)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 97 / 128)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 195 / 256) (1 / 256) (429 / 1000)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 3 / 4)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 193 / 256) (1 / 256) (87 / 200)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 95 / 128)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 191 / 256) (1 / 256) (441 / 1000)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 47 / 64)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 189 / 256) (1 / 256) (447 / 1000)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 23 / 32)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 93 / 128) (1 / 128) (23 / 50)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 11 / 16)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 45 / 64) (1 / 64) (243 / 500)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 5 / 8)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 21 / 32) (1 / 32) (537 / 1000)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 1 / 2)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 9 / 16) (1 / 16) (631 / 1000)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 3 / 8)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 7 / 16) (1 / 16) (703 / 1000)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (- 1 / 4)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 5 / 16) (1 / 16) (379 / 500)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (0)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (- 1 / 8) (1 / 8) (33 / 40)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (1 / 2)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (1 / 4) (1 / 4) (227 / 250)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (1)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (3 / 4) (1 / 4) (779 / 1000)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (2)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (3 / 2) (1 / 2) (142 / 125)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (3)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (5 / 2) (1 / 2) (617 / 1000)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  destruct (Rle_lt_dec x (4)) as [? | ?].
  { apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (7 / 2) (1 / 2) (23 / 250)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra]. }
  apply (piece_above _ _ _ gelu_slope_1 gelu_slope_2 (6) (2) (469 / 1000)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra].
Qed.

Theorem gelu_steepness : forall (x : R), - 8 <= x <= 8 -> - 1129 / 1000 <= sqrt 2 * x * exp (- x ^ 2 / 2) / (2 * sqrt PI) + Phi x <= 1129 / 1000.
Proof.
  intros x H.
  destruct (Rle_lt_dec x (- 6)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (- 7) (1) (1 / 500)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (- 4)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (- 5) (1) (41 / 500)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (- 3)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (- 7 / 2) (1 / 2) (3 / 8)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (- 2)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (- 5 / 2) (1 / 2) (246 / 125)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (- 1)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (- 3 / 2) (1 / 2) (1871 / 500)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (0)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (- 1 / 2) (1 / 2) (617 / 250)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (1 / 2)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (1 / 4) (1 / 4) (223 / 250)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (3 / 4)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (5 / 8) (1 / 8) (133 / 125)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (1)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (7 / 8) (1 / 8) (291 / 250)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (9 / 8)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (17 / 16) (1 / 16) (179 / 200)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (5 / 4)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (19 / 16) (1 / 16) (409 / 500)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (21 / 16)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (41 / 32) (1 / 32) (159 / 250)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (43 / 32)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (85 / 64) (1 / 64) (543 / 1000)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (11 / 8)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (87 / 64) (1 / 64) (129 / 250)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (89 / 64)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (177 / 128) (1 / 128) (47 / 100)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (45 / 32)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (179 / 128) (1 / 128) (57 / 125)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (91 / 64)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (181 / 128) (1 / 128) (221 / 500)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (23 / 16)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (183 / 128) (1 / 128) (107 / 250)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (47 / 32)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (93 / 64) (1 / 64) (217 / 500)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (3 / 2)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (95 / 64) (1 / 64) (203 / 500)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (25 / 16)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (49 / 32) (1 / 32) (209 / 500)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (13 / 8)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (51 / 32) (1 / 32) (73 / 200)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (7 / 4)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (27 / 16) (1 / 16) (79 / 200)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (2)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (15 / 8) (1 / 8) (47 / 100)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (9 / 4)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (17 / 8) (1 / 8) (48 / 125)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (5 / 2)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (19 / 8) (1 / 8) (71 / 200)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (3)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (11 / 4) (1 / 4) (19 / 40)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (4)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (7 / 2) (1 / 2) (3 / 8)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  destruct (Rle_lt_dec x (6)) as [? | ?].
  { apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (5) (1) (41 / 500)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra]. }
  apply (piece_within _ _ _ gelu_slope_2 gelu_slope_3 (7) (1) (1 / 500)); [intros y Y; cbv beta delta [Phi gelu erf]; interval with (i_bisect y, i_prec 40) | cbv beta delta [Phi gelu erf]; integral with (i_prec 30, i_degree 8) | lra | lra].
Qed.
