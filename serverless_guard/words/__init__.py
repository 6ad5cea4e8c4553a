"""What detectors know and their code does not show: names, snippets, how a command line is read, what padding is."""
