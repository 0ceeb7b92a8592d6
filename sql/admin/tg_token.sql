create or replace function admin.tg_token_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_refuse_change(
        400, 'token_is_made_by_the_gateway', 'SQL cannot make a token: the database never sees one',
        format('Issue it where the master key is: onevault token issue %s', coalesce(new.customer, 'CUSTOMER'))
    );
end
$$;

create or replace function admin.tg_token_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old), '{token_id,customer,token_hint,issued_at}', 'Issue another token instead.'
    );
    if old.token_status = 'REVOKED' and upper(new.token_status) <> 'REVOKED' then
        perform admin.fn_refuse_change(
            409, 'revoked_is_for_good', format('The token %s was revoked', quote_literal(old.token_id)),
            'Issue another one: whoever held this one may still have it.'
        );
    end if;
    perform admin.fn_save_satellite(
        'gateway.token_s', jsonb_build_object('token_hk', h.token_hk), admin.fn_pack_token(to_jsonb(new))
    )
    from gateway.token_h as h
    where h.token_bk = old.token_id;
    select t.* into new from admin.token as t where t.token_id = old.token_id;
    return new;
end
$$;

create or replace function admin.tg_token_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_save_satellite(
        'gateway.token_s', jsonb_build_object('token_hk', h.token_hk), '{"token_status": "REVOKED"}'
    )
    from gateway.token_h as h
    where h.token_bk = old.token_id;
    return old;
end
$$;

create trigger token_insert instead of insert on admin.token
for each row execute function admin.tg_token_insert();
create trigger token_update instead of update on admin.token
for each row execute function admin.tg_token_update();
create trigger token_delete instead of delete on admin.token
for each row execute function admin.tg_token_delete();

comment on function admin.tg_token_insert() is 'INSERT on admin.token: refused, with the way that works.';
comment on function admin.tg_token_update() is 'UPDATE on admin.token: a new version.';
comment on function admin.tg_token_delete() is 'DELETE on admin.token: revoked, a new version.';
