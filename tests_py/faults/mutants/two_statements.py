"""A worker that settles in one statement and deletes in a second, with a moment between them."""

from __future__ import annotations

import asyncio

from onevault.cli import main
from worker.calls import Calls, _json
from worker.shapes import Result

_BETWEEN_SECONDS = 0.08

_record_results = Calls.record_results


async def _record_in_two(self: Calls, results: list[Result]) -> list[bytes]:
    receipts = await _record_results(self, results)
    await asyncio.sleep(_BETWEEN_SECONDS)
    await self._booking.fetch("select faults.sp_forget(%s::jsonb)", _json(results))
    return receipts


if __name__ == "__main__":
    Calls.record_results = _record_in_two  # type: ignore[method-assign]
    main()
