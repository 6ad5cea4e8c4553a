"""One file a question. Speed is measured here and nowhere else; ratios in one run, since machines differ and drift."""
