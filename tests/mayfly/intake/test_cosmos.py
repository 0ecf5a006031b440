"""The intake record in Cosmos DB fulfills the contract."""

from __future__ import annotations

import pytest

from mayfly.intake.cosmos import CosmosIntakeRecord
from mayfly.intake.intake_record import IntakeRecord
from tests.contracts.intake_record import IntakeRecordContract
from tests.cosmos_server.server import CosmosServer


class TestCosmos(IntakeRecordContract):
    @pytest.fixture(autouse=True)
    def _server(self, cosmos_server: CosmosServer) -> None:
        self._cosmos = cosmos_server

    def open(self) -> IntakeRecord:
        return CosmosIntakeRecord(self._cosmos.account())
