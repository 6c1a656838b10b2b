"""The stack end to end: real requests to the three APIs of template.yaml on a local AWS, through real authorizers."""

import sys
import unittest

from deployment import deployment
from suite_cache import HttpCache, RestCache, RestCacheByToken
from suite_discovery import Discovery
from suite_enriching import Enriching
from suite_operating import Operating
from suite_walk import Http, Rest, WebSocket

# Operating is last: it deletes the stack.
SUITES = [Rest, Http, WebSocket, RestCache, RestCacheByToken, HttpCache, Enriching, Discovery, Operating]


def main() -> int:
    loader = unittest.defaultTestLoader
    suite = unittest.TestSuite(map(loader.loadTestsFromTestCase, SUITES))
    deployment.start()
    try:
        done = unittest.TextTestRunner(verbosity=2, buffer=True).run(suite)
    finally:
        deployment.stop()
    return 0 if done.wasSuccessful() and done.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
