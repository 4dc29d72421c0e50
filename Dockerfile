# The Sightline jar behind spark-submit, with the Python its workers need. Build after `make wheel`:
#   docker build -t sightline .
#   docker run -v /data:/data sightline predict --images /data/in --model id_fraud --output /data/out
# Without torch (backend onnx alone, about 1 GB instead of 6): --build-arg EXTRAS=cpu,spark,report
FROM python:3.11-slim-bookworm

RUN mkdir -p /usr/share/man/man1 \
    && apt-get update \
    && apt-get install --yes --no-install-recommends openjdk-17-jre-headless=17.* \
    && rm -rf /var/lib/apt/lists/*

ARG EXTRAS=cpu,spark,torch,report,track
WORKDIR /opt/sightline
COPY requirements.lock ./
COPY dist/sightline-*-py3-none-any.whl ./
# The lock holds versions and hashes of what the wheel and its extras ask for; uv comes from it too.
RUN sed -n '/^uv==/,/[^\\]$/p' requirements.lock > uv.lock \
    && pip install --no-cache-dir --require-hashes --no-deps -r uv.lock \
    && uv pip install --system --no-cache --constraints requirements.lock \
        "sightline[${EXTRAS}] @ file://$(ls /opt/sightline/sightline-*.whl)" \
    && pip uninstall --yes uv \
    && rm -- *.lock *.whl \
    && useradd --system --create-home --uid 1000 sightline

COPY dist/sightline.jar ./
ENV PYSPARK_PYTHON=/usr/local/bin/python3
USER 1000
WORKDIR /home/sightline
ENTRYPOINT ["spark-submit", "/opt/sightline/sightline.jar"]
CMD ["--help"]
