-- The next rows after the last one copied, from the index and nowhere else: a step at the end of a month costs what
-- one at its begin does. The request's key makes the order one of single rows, however many came in one moment.
create or replace function ops.fn_copy_month(p_month text, p_rows integer) returns integer
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
declare
    v_customer bytea;
    v_at timestamptz;
    v_booked timestamptz;
    v_request bytea;
    v_copied integer;
begin
    execute format(
        'select c.customer_hk, c.request_timestamp, c.load_date, c.api_request_hk from gateway.%I as c
        order by c.customer_hk desc, c.request_timestamp desc, c.load_date desc, c.api_request_hk desc limit 1',
        p_month || '_ordered'
    ) into v_customer, v_at, v_booked, v_request;
    execute format(
        'insert into gateway.%I select s.* from gateway.%I as s
        where
            (s.customer_hk, s.request_timestamp, s.load_date) >= ($1, $2, $3)
            and (s.customer_hk, s.request_timestamp, s.load_date, s.api_request_hk) > ($1, $2, $3, $4)
        order by s.customer_hk, s.request_timestamp, s.load_date, s.api_request_hk limit $5',
        p_month || '_ordered', p_month
    )
    using coalesce(v_customer, ''), coalesce(v_at, '-infinity'), coalesce(v_booked, '-infinity'), coalesce(v_request, ''), p_rows;
    get diagnostics v_copied = row_count;
    return v_copied;
end
$$;

comment on function ops.fn_copy_month(text, integer) is
'Copies the next rows of a month in the order of its customers; returns how many, which is 0 at its end.';
