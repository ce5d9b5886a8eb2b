# Untested: no machine available to the project could build an image yet.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

RUN useradd --system --user-group --uid 10001 --no-create-home --home-dir /data treadle \
    && install --directory --owner=treadle --group=treadle --mode=0700 /data

WORKDIR /opt/treadle
COPY requirements.txt ./
RUN pip install --require-hashes -r requirements.txt
COPY pyproject.toml LICENSE NOTICE README.md ./
COPY src ./src
RUN pip install --no-build-isolation --no-deps .

USER treadle
WORKDIR /data
VOLUME /data
EXPOSE 8484
CMD ["treadle", "serve", "--host", "0.0.0.0", "--port", "8484", "--data", "/data"]
