# The service: web process and worker are two commands of one image (docker-compose.yml). On Linux the package index
# gives torch with CUDA; for the CPU build, give pip the CPU index named on PyTorch's install page:
#   docker build --build-arg PIP_EXTRA_INDEX_URL=<that index> .
FROM python:3.11-slim

ARG PIP_EXTRA_INDEX_URL=
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1

WORKDIR /opt/refusalscope
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY app app
COPY backend backend
COPY frontend frontend
COPY docker docker
RUN sh docker/install.sh

# What is served lies in a volume; the process owns nothing else.
RUN useradd --create-home --uid 10001 refusalscope && mkdir /data && chown refusalscope /data
USER refusalscope
ENV REFUSALSCOPE_DATA=/data
VOLUME /data
EXPOSE 8050
CMD ["sh", "docker/web.sh"]
