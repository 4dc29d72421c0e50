"""The plugin of ONNX graphs: a file, or a graph in memory."""

from __future__ import annotations

from typing import Unpack

from sightline.plugins.converting_plugin import ConvertingPlugin
from sightline.plugins.model_options import ModelOptions, require_options
from sightline.plugins.model_summary import ModelSummary


class OnnxPlugin(ConvertingPlugin):
    """Models of onnxruntime."""

    name = "onnx"
    package = "onnx"
    kinds = "an ONNX file, an onnx.ModelProto"
    suffixes = (".onnx",)

    def model_summary(self, m: object, **options: Unpack[ModelOptions]) -> ModelSummary:
        """See `Plugin.model_summary`. The graph is read as it is, also if it cannot be added."""
        options = require_options(options, call=False)
        if self.is_loader(m):
            return super().model_summary(m, **options)
        self.require_framework()
        from sightline.plugins.graph_summary import file_name, graph_summary, read_graph

        graph = read_graph(m)
        return graph_summary(
            graph, options.get("name") or file_name(m, graph.graph.name or "graph")
        )
