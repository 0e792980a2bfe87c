import uvicorn

from backend.api.routes import Report
from frontend.pages import dash
