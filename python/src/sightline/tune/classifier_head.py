"""The classifiers of MLlib that a search can fit on features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyspark.ml import Estimator, Pipeline
from pyspark.ml.classification import LogisticRegression, MultilayerPerceptronClassifier
from pyspark.ml.feature import StandardScaler

LOGISTIC, MLP = "logistic", "mlp"
HEADS = (LOGISTIC, MLP)


@dataclass(frozen=True, slots=True)
class ClassifierHead:
    """The kind of a classifier, and its Params. The names are those of `ImageClassifier`.

    Args:
        kind: ``logistic`` or ``mlp``.
        max_iter: Largest number of iterations, at least 1.
        reg_param: Strength of the regularisation of ``logistic``, at least 0.
        elastic_net_param: Share of L1 in the regularisation of ``logistic``, 0 to 1.
        hidden_layers: Neurons of each hidden layer of ``mlp``.
    """

    kind: str
    max_iter: int
    reg_param: float = 0.0
    elastic_net_param: float = 0.0
    hidden_layers: tuple[int, ...] = ()

    @property
    def params(self) -> dict[str, Any]:
        """The Params that this kind has, by the names that Spark gives them."""
        if self.kind == MLP:
            return {"hiddenLayers": list(self.hidden_layers), "maxIter": self.max_iter}
        return {
            "regParam": self.reg_param,
            "elasticNetParam": self.elastic_net_param,
            "maxIter": self.max_iter,
        }

    def __str__(self) -> str:
        shown = (
            f"{name}={layers_text(value) if isinstance(value, list) else f'{value:.4g}'}"
            for name, value in self.params.items()
        )
        return f"{self.kind} {' '.join(shown)}"

    def estimator(self, features: int, classes: int, seed: int) -> Estimator[Any]:
        """Return MLlib's estimator on the columns `features` and `class`.

        Args:
            features: Length of the feature vectors.
            classes: Number of classes.
            seed: Of the first weights of ``mlp``.
        """
        if self.kind == MLP:
            # As ImageClassifier does, and as logistic regression does by itself.
            scaler = StandardScaler(withMean=True, inputCol="features", outputCol="scaled")
            network = MultilayerPerceptronClassifier(
                featuresCol="scaled",
                labelCol="class",
                layers=[features, *self.hidden_layers, classes],
                maxIter=self.max_iter,
                seed=seed,
            )
            return Pipeline(stages=[scaler, network])
        return LogisticRegression(
            labelCol="class",
            regParam=self.reg_param,
            elasticNetParam=self.elastic_net_param,
            maxIter=self.max_iter,
            # As ImageClassifier does: coefficients for each label, also for two labels.
            family="multinomial",
        )


def layers_text(layers: list[int] | tuple[int, ...]) -> str:
    """Return the sizes of hidden layers as an option has them: ``128x64``."""
    return "x".join(map(str, layers))
