"""The space of a search, and the table of its trials."""

from __future__ import annotations

from pathlib import Path

import optuna

from sightline.tune.classifier_head import ClassifierHead
from sightline.tune.search_space import SearchSpace
from sightline.tune.trial import (
    COMPLETE,
    FAILED,
    PRUNED,
    Trial,
    best_trial,
    trial_table,
    write_trials,
)

SPACE = SearchSpace(
    heads=("logistic", "mlp"),
    reg_param=(0.001, 0.1),
    elastic_net_param=(0.25, 0.5),
    max_iter=(5, 50),
    hidden_layers=((8,), (16, 4)),
)
LOGISTIC = ClassifierHead("logistic", 50, reg_param=0.25, elastic_net_param=0.5)
MLP = ClassifierHead("mlp", 7, hidden_layers=(16, 4))
TRIALS = [
    Trial(0, LOGISTIC, COMPLETE, (0.5, 0.7), 1.0),
    Trial(1, MLP, COMPLETE, (0.9, 0.7), 1.0),
    Trial(2, LOGISTIC, PRUNED, (0.95,), 1.0),
    Trial(3, MLP, FAILED, (), 1.0, "Out of memory"),
    Trial(4, LOGISTIC, COMPLETE, (0.8, 0.8), 1.0),
]


def test_the_first_trial_is_the_default_or_the_nearest_value() -> None:
    assert SPACE.first() == {
        "head": "logistic",
        "maxIter": 50,
        "regParam": 0.001,
        "elasticNetParam": 0.25,
        "hiddenLayers": "8",
    }


def test_a_trial_is_a_point_of_the_space() -> None:
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1))
    study.enqueue_trial(SPACE.first())
    heads = [SPACE.suggest(study.ask()) for _ in range(40)]
    assert heads[0] == ClassifierHead("logistic", 50, reg_param=0.001, elastic_net_param=0.25)
    kinds = {head.kind for head in heads}
    layers = {head.hidden_layers for head in heads}
    assert (kinds, layers) == ({"logistic", "mlp"}, {(), (8,), (16, 4)})
    for head in heads:
        assert 5 <= head.max_iter <= 50
        if head.kind == "logistic":
            assert 0.001 <= head.reg_param <= 0.1
            assert 0.25 <= head.elastic_net_param <= 0.5


def test_the_best_trial_is_complete_and_the_first_of_equal_ones() -> None:
    assert best_trial(TRIALS, larger=True) is TRIALS[1]
    assert best_trial(TRIALS, larger=False) is TRIALS[0]
    assert best_trial(TRIALS[2:4], larger=True) is None


def test_the_table_has_the_best_trial_first_and_failures_last() -> None:
    assert trial_table(TRIALS, "accuracy", larger=True).splitlines() == [
        "trial  state      accuracy  folds  head",
        "    1  complete     0.8000      2  mlp hiddenLayers=16x4 maxIter=7",
        "    4  complete     0.8000      2  logistic regParam=0.25 elasticNetParam=0.5 maxIter=50",
        "    0  complete     0.6000      2  logistic regParam=0.25 elasticNetParam=0.5 maxIter=50",
        "    2  pruned       0.9500      1  logistic regParam=0.25 elasticNetParam=0.5 maxIter=50",
        "    3  failed            -      0  mlp hiddenLayers=16x4 maxIter=7  Out of memory",
    ]


def test_the_csv_has_a_row_for_each_trial_in_their_order(tmp_path: Path) -> None:
    write_trials(tmp_path / "trials.csv", TRIALS[1:4], "f1", folds=2)
    assert (tmp_path / "trials.csv").read_text().splitlines() == [
        "trial,state,f1,f1_fold_0,f1_fold_1,head,regParam,elasticNetParam,maxIter,hiddenLayers,"
        "error",
        "1,complete,0.8,0.9,0.7,mlp,,,7,16x4,",
        "2,pruned,0.95,0.95,,logistic,0.25,0.5,50,,",
        "3,failed,,,,mlp,,,7,16x4,Out of memory",
    ]
