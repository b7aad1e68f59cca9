"""Testing flows with pytest: the fixture `flows` runs them in the test's own process.

    def test_the_report_counts_rows(flows):
        flows.add('flows/report.py')
        flows.connections['orders'] = {'rows': [1, 2, 3]}
        run = flows.run('report', month='May')
        assert run.status == 'ENDED_SUCCESS'
        assert run.outputs == {'rows': 3}

Children, waits, failures, settings and the like behave as on a cluster; sleeps pass at once. See
docs/testing.md.
"""

from flow_api.testing._cassettes import Cassette
from flow_api.testing._connections import TestConnections
from flow_api.testing._flows import Started, TestFlows
from weir_local import Flow, LocalError, NothingHappens, Result
from weir_local.people import Question

__all__ = [
    "Cassette",
    "Flow",
    "LocalError",
    "NothingHappens",
    "Question",
    "Result",
    "Started",
    "TestConnections",
    "TestFlows",
]
