import numpy as np
import pytest

from sightline.engine.heads.classes_head import rank, softmax


def test_scores_come_best_first_and_equal_ones_by_class_id() -> None:
    ranked = rank(np.array([[0.1, 0.4, 0.1, 0.4]], np.float32), "none", top_k=3)
    assert ranked.class_ids.tolist() == [[1, 3, 0]]
    assert ranked.scores.tolist() == np.array([[0.4, 0.4, 0.1]], np.float32).tolist()


def test_the_best_of_many_classes_are_those_of_a_full_sort() -> None:
    scores = np.random.default_rng(0).normal(size=(20, 1000)).astype(np.float32).round(1)
    ranked = rank(scores, "none", top_k=7)
    for row in range(20):
        full = sorted(range(1000), key=lambda c: (-scores[row, c], c))[:7]
        assert ranked.class_ids[row].tolist() == full


def test_zero_and_minus_zero_are_equal() -> None:
    ranked = rank(np.array([[-0.0, 0.0, -1.0]], np.float32), "none", top_k=3)
    assert ranked.class_ids.tolist() == [[0, 1, 2]]


def test_softmax_of_large_logits_does_not_overflow() -> None:
    probabilities = softmax(np.array([[1000, 1000, -1000]], np.float32))
    assert probabilities.tolist() == [[0.5, 0.5, 0.0]]


def test_a_nan_score_makes_only_its_row_invalid() -> None:
    logits = np.array([[1, np.nan], [1, 2], [np.inf, 1], [-np.inf, 0]], np.float32)
    assert rank(logits, "softmax", top_k=1).valid.tolist() == [False, True, False, True]


def test_the_sigmoid_is_computed_for_each_label_separately() -> None:
    ranked = rank(np.array([[0, 3, -900]], np.float32), "sigmoid", top_k=3)
    assert ranked.class_ids.tolist() == [[1, 0, 2]]
    assert ranked.scores[0] == pytest.approx([0.952574, 0.5, 0], abs=1e-6)
