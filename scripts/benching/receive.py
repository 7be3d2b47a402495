def run(system, results, options):
    raise RuntimeError("not yet")
