# MLflow's server with the drivers of its two stores: MLflow and boto3 as the pipeline has them; what they need is not locked.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim
RUN pip install --no-cache-dir --disable-pip-version-check \
        mlflow==3.17.2 boto3==1.44.5 "psycopg[binary]==3.3.9"
ENV HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    MLFLOW_DISABLE_TELEMETRY=true \
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false
USER 10001:10001
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=2s --retries=3 \
    CMD ["python", "-c", "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', 5000, timeout=4); c.request('GET', '/health'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["mlflow", "server", "--host", "0.0.0.0", "--port", "5000"]
