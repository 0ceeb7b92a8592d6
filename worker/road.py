"""One request's walk: its candidates in order, until one answers; then the booking; then the last frame.

A candidate may be given up for the next as long as no output has gone to the customer and the failure allows it. When
none is left, those that may have recovered are asked once more (see `worker.second_round`). Whatever happens, one
result is booked and one `End` is sent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec

from onevault.errors import unwind
from onevault.log import get_log
from onevault.tokens import Secret
from worker.booking import Booker, NotBooked
from worker.calls import DatabaseAway
from worker.endings import describe_buried, describe_failure, describe_unbooked, was_fenced, with_error
from worker.hedge import Lane, Rival
from worker.keys import ProviderKeys
from worker.providers.base import Call, CallFailed, Provider
from worker.running import Running
from worker.second_round import SecondRound
from worker.shapes import Attempt, Candidate, CustomerError, Result

_KEY_RETRY_SECONDS: Final = 0.25
# Another key of the same provider may be taken where this one was not.
_KEY_FAULTS: Final = frozenset({"auth_dead", "money_dead", "rate_limited"})

_log = get_log("worker.road")


class Road:
    """Serves requests; one task runs `serve` for each."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        keys: ProviderKeys,
        booker: Booker,
        on_end: Callable[[Running], None],
        on_next: Callable[[Running], Awaitable[None]],
        patience: float = 0.0,
    ) -> None:
        self._providers = providers
        self._keys = keys
        self._booker = booker
        self._on_end = on_end
        self._on_next = on_next
        self._patience = patience
        self._loop = asyncio.get_running_loop()

    async def serve(self, run: Running) -> None:
        """From the body, or the news that there is none, to the last frame."""
        nothing = msgspec.json.encode({"request_id": run.delivery.message.request})
        try:
            if run.delivery.message.dead:
                run.finish(with_error(nothing, describe_buried()), answered=False)
                return
            result, failure = await self._walk(run)
            run.settling = True
            try:
                receipt = await self._booker.book(result)
            except NotBooked:
                receipt, failure = nothing, describe_unbooked()
            if failure is None and was_fenced(receipt):
                # Another worker has this request now, and its answer is the one that is booked.
                receipt, failure = nothing, describe_unbooked()
            if failure is not None:
                receipt = with_error(receipt, failure)
            run.finish(receipt, answered=failure is None)
        except Exception as error:  # noqa: BLE001 - a request that goes wrong in a new way ends alone
            _log.error("request_broke", error, request_id=run.delivery.message.request)
            run.finish(with_error(nothing, describe_unbooked()), answered=False)
        finally:
            self._on_end(run)

    async def _walk(self, run: Running) -> tuple[Result, CustomerError | None]:
        result = _begin_result(run)
        if run.body is None:
            _book_absence(run, result)
            return _end_result(run, result), None
        try:
            fields = msgspec.json.decode(run.body.body, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            failed = CallFailed("bad_request", message="The body is not a JSON object.")
            return self._fail(run, result, failed)
        verdict: CallFailed | None = None
        waiting = deque(run.delivery.message.candidates)
        second = SecondRound(run, self._patience)
        while run.ending is None and self._loop.time() < run.deadline_at:
            if not waiting:
                recovered = await second.next()
                if recovered is None:
                    break
                waiting.append(recovered)
                continue
            candidate = await self._with_open_key(run, waiting.popleft())
            attempt = Attempt(number=len(result.attempts) + 1, offer=candidate.offer, key=candidate.key)
            result.attempts.append(attempt)
            rival = self._rival(run, result, waiting, fields) if attempt.number == 1 else None
            failed_call = await self._try(run, candidate, attempt, fields, rival)
            if failed_call is None:
                result.status = "SUCCESS"
                if not run.body.stream:
                    _note_hang_up(run, result)
                return _end_result(run, result), None
            if verdict is None or failed_call.customer_fault or not verdict.customer_fault:
                verdict = failed_call
            if run.delivered or not failed_call.failover:
                break
            if candidate.spare_keys and failed_call.error_class in _KEY_FAULTS:
                waiting.appendleft(_with_spare(candidate))
            else:
                second.note(candidate, attempt)
        return self._fail(run, result, verdict)

    def _fail(self, run: Running, result: Result, verdict: CallFailed | None) -> tuple[Result, CustomerError | None]:
        """There is no answer, or only a part of one: what to book, what to tell the customer."""
        if run.ending is not None:
            result.status, result.error_class = "CANCELLED", run.ending
            return _end_result(run, result), None
        late = self._loop.time() >= run.deadline_at
        if late or (result.attempts and all(a.error_class == "timeout" for a in result.attempts)):
            result.status, result.error_class = "TIMEOUT", "timeout"
        else:
            result.error_class = verdict.error_class if verdict is not None else "server_error"
        failure = describe_failure(result, run.delivery.message.candidates, verdict)
        return _end_result(run, result), failure

    async def _try(
        self,
        run: Running,
        candidate: Candidate,
        attempt: Attempt,
        fields: dict[str, msgspec.Raw],
        rival: Rival | None = None,
    ) -> CallFailed | None:
        """Call one candidate, and another one with it if that is due; gives the failure, if it is one, and completes
        the attempts."""
        provider = self._providers.get(candidate.kind)
        call = await self._make_call(run, candidate, fields)
        if provider is None or call is None:
            attempt.error_class = "auth_dead" if provider is not None else "connect"
            return CallFailed(attempt.error_class)
        if attempt.number > 1:
            run.attempt = attempt
            await self._on_next(run)
        if run.ending is not None:
            attempt.outcome, attempt.error_class = "CANCELLED", run.ending
            return CallFailed(run.ending, failover=False)
        run.begin_attempt(attempt, candidate)
        failure: CallFailed | None = None
        try:
            if rival is None:
                await provider.call(call, attempt, run)
            else:
                await rival.race(Lane(run, provider, call, attempt))
        except CallFailed as failed:
            failure = failed
            unwind(failure)
        except asyncio.CancelledError:
            failure = _interrupted(run)
        except Exception as error:  # noqa: BLE001 - an adapter's surprise is this candidate's failure
            _log.error("adapter_broke", error, provider=candidate.provider, request_id=call.request_id)
            failure = CallFailed("server_error")
        finally:
            if rival is not None:
                attempt, candidate = run.attempt or attempt, run.candidate or candidate
                rival.book_losses(attempt, failure)
            run.end_attempt(attempt)
        if failure is None:
            attempt.outcome = "SUCCESS"
            return None
        refused = failure.error_class in ("auth_dead", "money_dead")
        # An own key at its limit rests, which says SQL; of the house's the offer rests.
        if candidate.key is not None and (
            refused or (failure.error_class == "rate_limited" and candidate.key in candidate.own_keys)
        ):
            self._keys.forget(candidate.key)
        attempt.error_class = failure.error_class
        attempt.outcome = (
            "CANCELLED" if run.ending is not None else "TIMEOUT" if failure.error_class == "timeout" else "ERROR"
        )
        return failure

    async def _make_call(self, run: Running, candidate: Candidate, fields: dict[str, msgspec.Raw]) -> Call | None:
        """What a candidate is asked; None without the key that it needs."""
        assert run.body is not None
        secret = await self._secret(run, candidate.key) if candidate.key is not None else None
        if candidate.key is not None and secret is None:
            return None
        return Call(
            request_id=run.delivery.message.request,
            candidate=candidate,
            fields=fields,
            surface=run.body.surface,
            stream=run.body.stream,
            include_usage=run.body.include_usage,
            api_key=secret,
            headers=run.body.headers,
        )

    def _rival(
        self, run: Running, result: Result, waiting: deque[Candidate], fields: dict[str, msgspec.Raw]
    ) -> Rival | None:
        """The candidate that is asked as well if the first one is slow, if SQL has named one."""
        hedge = run.delivery.message.hedge
        if hedge is None:
            return None

        async def make() -> Lane | None:
            for place, candidate in enumerate(waiting):
                if candidate.offer == hedge.offer:
                    opened = await self._with_open_key(run, candidate)
                    provider, call = self._providers.get(opened.kind), await self._make_call(run, opened, fields)
                    if provider is None or call is None:
                        return None
                    del waiting[place]
                    attempt = Attempt(number=len(result.attempts) + 1, offer=opened.offer, key=opened.key)
                    result.attempts.append(attempt)
                    run.wait_longer(opened)
                    return Lane(run, provider, call, attempt)
            return None

        return Rival(hedge.after_ms / 1000, make)

    async def _with_open_key(self, run: Running, candidate: Candidate) -> Candidate:
        """The candidate with the first of its keys that may be used, or else with its last."""
        while candidate.spare_keys and candidate.key is not None and await self._secret(run, candidate.key) is None:
            candidate = _with_spare(candidate)
        return candidate

    async def _secret(self, run: Running, key: str) -> Secret[str] | None:
        known, secret = self._keys.peek(key)
        while not known:
            try:
                secret = await self._keys.get(key)
                known = True
            except DatabaseAway:
                if run.ending is not None or self._loop.time() + _KEY_RETRY_SECONDS >= run.deadline_at:
                    return None
                await asyncio.sleep(_KEY_RETRY_SECONDS)
        return secret


def _with_spare(candidate: Candidate) -> Candidate:
    key, *rest = candidate.spare_keys
    return msgspec.structs.replace(candidate, key=key, spare_keys=tuple(rest))


def _interrupted(run: Running) -> CallFailed:
    """Why the call was cancelled. Passes on a cancellation that was not ours."""
    task = asyncio.current_task()
    if run.calling or task is None:
        raise asyncio.CancelledError
    task.uncancel()
    if run.ending is not None:
        return CallFailed(run.ending, failover=False)
    return CallFailed("timeout", failover=run.late == "silence")


def _note_hang_up(run: Running, result: Result) -> None:
    # A plain answer is made to its end even if nobody hears it any more: only its last byte says what it used.
    if run.ending is not None:
        result.status, result.error_class = "CANCELLED", run.ending


def _begin_result(run: Running) -> Result:
    delivery = run.delivery
    message = delivery.message
    return Result(
        request=message.request,
        customer=message.customer,
        queue=delivery.queue,
        msg_id=delivery.msg_id,
        read_ct=delivery.read_ct,
        status="ERROR",
    )


def _end_result(run: Running, result: Result) -> Result:
    # The message may have been read once more meanwhile; then only the newer receipt settles it.
    result.msg_id, result.read_ct = run.delivery.msg_id, run.delivery.read_ct
    result.readings = run.readings
    result.latency_ms = run.latency_ms
    result.first_byte_ms = run.first_byte_ms
    return result


def _book_absence(run: Running, result: Result) -> None:
    """Nobody waits: nothing was called, but what an earlier worker delivered before it died was used."""
    result.status = "CANCELLED"
    gone = run.gone
    if gone is None or gone.reason == "front_draining":
        result.error_class = run.ending or "front_gone"
    elif gone.reason == "worker_lost":
        result.error_class = "worker_lost"
        candidates = run.delivery.message.candidates
        if gone.delivered_bytes > 0 and candidates:
            attempt = Attempt(number=1, offer=candidates[0].offer, key=candidates[0].key)
            attempt.outcome, attempt.error_class = "CANCELLED", "worker_lost"
            attempt.output_bytes = gone.delivered_bytes
            result.attempts.append(attempt)
    else:
        result.error_class = "client_gone"
