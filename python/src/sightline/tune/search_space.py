"""The classifiers among which a search looks for the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sightline.tune.classifier_head import LOGISTIC, ClassifierHead, layers_text

if TYPE_CHECKING:
    from optuna.trial import Trial


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """Kinds of heads, and the values of their Params.

    Args:
        heads: Any of `HEADS`, at least one.
        reg_param: Lowest and highest value, above 0; searched on a logarithmic scale.
        elastic_net_param: Lowest and highest value, 0 to 1.
        max_iter: Lowest and highest value, at least 1.
        hidden_layers: The choices; each has the neurons of its layers.
    """

    heads: tuple[str, ...]
    reg_param: tuple[float, float]
    elastic_net_param: tuple[float, float]
    max_iter: tuple[int, int]
    hidden_layers: tuple[tuple[int, ...], ...]

    def first(self) -> dict[str, Any]:
        """Return the first trial: the defaults of `ImageClassifier`, or the nearest values."""
        return {
            "head": self.heads[0],
            "maxIter": _nearest(100, self.max_iter),
            "regParam": _nearest(0.0, self.reg_param),
            "elasticNetParam": _nearest(0.0, self.elastic_net_param),
            "hiddenLayers": layers_text(self.hidden_layers[0]),
        }

    def suggest(self, trial: Trial) -> ClassifierHead:
        """Return the head of a trial, as Optuna chooses it."""
        kind = trial.suggest_categorical("head", self.heads)
        max_iter = trial.suggest_int("maxIter", *self.max_iter)
        if kind == LOGISTIC:
            return ClassifierHead(
                kind,
                max_iter,
                reg_param=trial.suggest_float("regParam", *self.reg_param, log=True),
                elastic_net_param=trial.suggest_float("elasticNetParam", *self.elastic_net_param),
            )
        names = {layers_text(layers): layers for layers in self.hidden_layers}
        chosen = trial.suggest_categorical("hiddenLayers", list(names))
        return ClassifierHead(kind, max_iter, hidden_layers=names[chosen])


def _nearest(value: float, bounds: tuple[float, float]) -> float:
    return min(max(value, bounds[0]), bounds[1])
