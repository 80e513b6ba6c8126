"""What every proof file begins with: a few lemmas and tactics, each of them proved or built from Coq's own.

>>> "Lemma" in prelude(["exp"]), "RInt" in prelude(["exp"]), "RInt" in prelude(["erf"])
(True, False, True)
"""

from __future__ import annotations

from collections.abc import Iterable

_HEAD = """\
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
Open Scope R_scope.
"""

#: Interval arithmetic over Coq's own integers: no axioms about machine numbers.
_INTERVAL = """\
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Interval Require Import Tactic.
From Interval.Float Require Import Specific_ops Specific_stdz.
Module Floats := SpecificFloat StdZRadix2.
Module Intervals := IntervalTactic Floats.
Import Intervals.
Open Scope R_scope.
"""

#: Definitions of functions, with what is proved of them at once.
_FUNCTIONS = {
    "switch": """\
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
""",
    "tanh": "Definition tanh (x : R) : R := (exp x - exp (- x)) / (exp x + exp (- x)).\n",
    "sinh": "Definition sinh (x : R) : R := (exp x - exp (- x)) / 2.\n",
    "cosh": "Definition cosh (x : R) : R := (exp x + exp (- x)) / 2.\n",
    "erf": """\
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
""",
}
#: Written out where a theorem is proved; erf and switch stay closed.
UNFOLDED = ("tanh", "sinh", "cosh")

_TACTICS = """\
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
  | |- _ /\\ _ => split; pos
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
"""

_DIFFERENCES = """\
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
"""
_ERF_CASE = "  | |- ex_derive _ _ => eexists; apply erf_slope\n"
_SWITCHES = """\
Ltac switches :=
  repeat match goal with
  | |- context [switch ?c ?b ?a ?w] =>
      first [ rewrite (switch_below c b a w) by (lra || nra) | rewrite (switch_above c b a w) by (lra || nra)
            | rewrite (switch_at c b a w) by (lra || nra) ]
  end.
Ltac alike := first [ same | progress f_equal; alike ].
"""


#: A hyperbolic tangent with its argument in one place, and without a logarithm in an exponent: what stands in several
#: places is taken by interval arithmetic for several numbers, and bounds of them are wide.
NARROW = """\
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
"""


def prelude(functions: Iterable[str], *, bounds: bool = False, interval: bool = False, more: Iterable[str] = ()) -> str:
    """The beginning of a file.

    Args:
        functions: names of functions that it uses, as the writer writes them.
        bounds: with what inequalities need.
        interval: with interval arithmetic.
        more: lemmas for some proofs, as text.
    """
    used = set(functions)
    parts = [_INTERVAL if interval else _HEAD]
    parts += [text for name, text in _FUNCTIONS.items() if name in used]
    tactics = _TACTICS if "erf" in used else _TACTICS.replace(_ERF_CASE, "")
    parts += [tactics, *([_SWITCHES] if "switch" in used else []), *([_DIFFERENCES] if bounds else []), *more]
    return "\n".join(parts)
