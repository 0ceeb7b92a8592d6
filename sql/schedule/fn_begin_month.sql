-- All that the month's own partition has, so that it can take its place: the CHECK keeps whoever attaches it from
-- reading it through, the mark says that it is in order.
create or replace function ops.fn_begin_month(p_month text) returns void
language plpgsql
set search_path = ''
set lock_timeout = '3s'
as $$
declare
    v_old regclass := format('gateway.%I', p_month)::regclass;
    v_copy text := p_month || '_ordered';
begin
    execute format('create table gateway.%I (like %s including all)', v_copy, v_old);
    execute format(
        'alter table gateway.%I owner to onevault_owner, cluster on %I, add constraint row_is_of_its_month check (%s),'
        ' enable row level security, force row level security',
        v_copy, ops.fn_find_order(format('gateway.%I', v_copy)::regclass), pg_get_partition_constraintdef(v_old)
    );
    execute format('create policy owner_sees_all on gateway.%I to onevault_owner using (true)', v_copy);
    execute format(
        'comment on table gateway.%I is ''A month in the order of its customers, until it takes the month''''s place.''', v_copy
    );
    execute format(
        'create or replace trigger month_is_being_ordered before update or delete on %s'
        ' for each row execute function ops.tg_api_request_s_ordered()', v_old
    );
end
$$;

comment on function ops.fn_begin_month(text) is 'Makes the empty copy that a month of requests is put in order in.';
