-- One slow endpoint must not hold up the others: no customer has more than four events under way, and the round begins
-- at another customer each time. What cannot be sent at all is booked here and not given out.
create or replace function gateway.sp_read_webhooks(p_limit integer, p_visible_again_seconds integer)
returns table (
    msg_id bigint, read_ct integer, event_id text, endpoint text, body text, sent_at bigint, secrets bytea[],
    identities bytea[]
)
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_lanes constant integer := 4;
    v_now timestamptz := clock_timestamp();
    v_visible_again timestamptz := v_now + make_interval(secs => p_visible_again_seconds);
    v_left integer := p_limit;
    v_first text := encode(uuid_send(gen_random_uuid()), 'hex');
    v_customer text := v_first;
    v_has_wrapped boolean := false;
    v_busy integer;
    v_taken record;
begin
    loop
        exit when v_left <= 0;
        select min(q.message ->> 'customer') into v_customer
        from pgmq.q_webhook as q
        where q.message ->> 'customer' > v_customer and q.vt <= v_now
            and (not v_has_wrapped or q.message ->> 'customer' <= v_first);
        if v_customer is null then
            exit when v_has_wrapped;
            v_has_wrapped := true;
            v_customer := '';
            continue;
        end if;
        select count(*) into v_busy
        from pgmq.q_webhook as q
        where q.message ->> 'customer' = v_customer and q.vt > v_now and q.vt <= v_visible_again
            and q.last_read_at is not null;
        for v_taken in
            with due as (
                select q.msg_id from pgmq.q_webhook as q
                where q.message ->> 'customer' = v_customer and q.vt <= v_now
                order by q.vt
                limit least(v_left, greatest(v_lanes - v_busy, 0))
                for update skip locked
            ),

            taken as (
                update pgmq.q_webhook as q
                set vt = v_visible_again, read_ct = q.read_ct + 1, last_read_at = v_now
                from due as d where q.msg_id = d.msg_id
                returning q.msg_id, q.read_ct, q.message
            )

            select t.msg_id, t.read_ct, t.message, c.webhook_url, k.sealed, k.identities
            from taken as t
            left join gateway.customer_config_s as c
                on c.customer_hk = decode(v_customer, 'hex') and c.load_end_date is null
            cross join lateral (
                select
                    array_agg(s.secret_encrypted order by h.load_date desc) as sealed,
                    array_agg(s.webhook_secret_hk order by h.load_date desc) as identities
                from gateway.webhook_secret_h as h
                inner join gateway.webhook_secret_s as s
                    on h.webhook_secret_hk = s.webhook_secret_hk and s.load_end_date is null
                where h.customer_hk = decode(v_customer, 'hex') and s.valid_to > v_now
            ) as k
        loop
            if v_taken.webhook_url is null or v_taken.sealed is null then
                perform gateway.fn_book_webhook(
                    v_taken.msg_id, v_taken.read_ct, null,
                    case when v_taken.webhook_url is null then 'no_endpoint' else 'no_secret' end, null
                );
                continue;
            end if;
            v_left := v_left - 1;
            msg_id := v_taken.msg_id;
            read_ct := v_taken.read_ct;
            event_id := v_taken.message ->> 'event';
            endpoint := v_taken.webhook_url;
            body := v_taken.message ->> 'body';
            sent_at := floor(extract(epoch from v_now))::bigint;
            secrets := v_taken.sealed;
            identities := v_taken.identities;
            return next;
        end loop;
    end loop;
end
$$;

comment on function gateway.sp_read_webhooks(integer, integer) is
'Up to p_limit events that are due, with where they go, what is sent, the database''s time and the sealed secrets that
sign them (identities open those); invisible to other workers for some seconds.';
