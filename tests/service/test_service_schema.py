"""Whatever a client sends by the service's own description, nothing breaks: no answer is a 500."""

from __future__ import annotations

import pytest

pytest.importorskip("fastapi", reason="the extra `api` is not installed: no service is tested")
schemathesis = pytest.importorskip(
    "schemathesis", reason="schemathesis is not installed: the service's description is untested"
)

CASES = {"few": 12, "many": 200}


@pytest.mark.parametrize("many", ["few", pytest.param("many", marks=pytest.mark.slow)])
@pytest.mark.parametrize("tier", [None, "partner"])
def test_no_question_breaks_the_service(service, tier, many):
    from hypothesis import HealthCheck, given, settings

    reader = service(tier, rate=10_000_000)
    schema = schemathesis.openapi.from_asgi("/openapi.json", reader.client.app)
    asked = 0
    for each in schema.get_all_operations():
        operation = each.ok()

        @settings(
            max_examples=CASES[many], deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def ask(case):
            nonlocal asked
            asked += 1
            answer = case.call(session=reader.client, headers=reader.headers)
            case.validate_response(answer, headers=reader.headers)
            assert answer.status_code < 500
            assert answer.status_code != 401

        ask()
    print(f"{asked} questions on {len(list(schema.get_all_operations()))} paths, none a 500")
    assert asked > CASES[many]
