-- Who asks for a customer's month reads that month: by his key and the time of the request, in place of his key and the
-- request's, of which only partitions were cut off and nothing within a year. Half as large, so a booking writes less.
-- Beside them small indexes of what is rare: content refused by a provider, and scores.
set local role onevault_owner;

-- Bookings wait while it is built: about five seconds for a million requests. An operator may build it before.
-- squawk-ignore require-concurrent-index-creation
create index if not exists api_request_s_by_customer_and_time on gateway.api_request_s (customer_hk, request_timestamp);
-- squawk-ignore require-concurrent-index-deletion
drop index if exists gateway.api_request_s_by_customer;
-- squawk-ignore require-concurrent-index-creation
create index if not exists api_request_attempt_s_refused on gateway.api_request_attempt_s (customer_hk, load_date)
where error_class = 'content_policy';
-- squawk-ignore require-concurrent-index-creation
create index if not exists api_request_feedback_s_by_customer on gateway.api_request_feedback_s (customer_hk);

-- An import of history names the month from which partitions are needed.
-- squawk-ignore ban-drop-function
drop function if exists ops.fn_keep_partitions();
