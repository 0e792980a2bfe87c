from backend.judges.named import judges_named
