-- A prefix is one seller's for good: numbers of invoices would be given twice otherwise.
create or replace function admin.fn_pack_legal_entity(p_new jsonb, p_legal_entity_hk bytea) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_prefix text := upper(btrim(p_new ->> 'invoice_prefix'));
    v_owner text;
begin
    select h.legal_entity_bk into v_owner
    from gateway.legal_entity_s as s
    inner join gateway.legal_entity_h as h on s.legal_entity_hk = h.legal_entity_hk
    where s.invoice_prefix = v_prefix and s.legal_entity_hk <> p_legal_entity_hk
    limit 1;
    if v_owner is not null then
        perform admin.fn_refuse_change(
            409, 'invoice_prefix_has_one_owner',
            format('Numbers that begin with %s are those of %s', v_prefix, quote_literal(v_owner)), 'Use another prefix.'
        );
    end if;
    return jsonb_build_object(
        'legal_name', admin.fn_clean_text('legal_name', p_new ->> 'legal_name'),
        'address', admin.fn_clean_lines(array(select jsonb_array_elements_text(nullif(p_new -> 'address', 'null')))),
        'tax_number', admin.fn_clean_text('tax_number', p_new ->> 'tax_number'),
        'email', admin.fn_clean_email(p_new ->> 'email'),
        'payment_instructions', admin.fn_clean_lines(
            array(select jsonb_array_elements_text(nullif(p_new -> 'payment_instructions', 'null')))
        ),
        'invoice_prefix', v_prefix, 'currency', admin.fn_clean_currency(p_new ->> 'currency'),
        'payment_days', (p_new ->> 'payment_days')::smallint
    );
end
$$;

comment on function admin.fn_pack_legal_entity(jsonb, bytea) is 'A row of admin.legal_entity as the vault keeps it.';

-- One is the default at every moment: whoever becomes it takes it from the one before.
create or replace function admin.fn_save_legal_entity(p_legal_entity_hk bytea, p_row jsonb, p_is_default boolean)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_default_hk bytea;
begin
    perform admin.fn_lock_name('default legal entity');
    select s.legal_entity_hk into v_default_hk
    from gateway.legal_entity_s as s
    where s.is_default and s.load_end_date is null;
    if v_default_hk = p_legal_entity_hk and p_is_default is false then
        perform admin.fn_refuse_change(
            409, 'somebody_sells', 'One seller must be the default', 'Set is_default of another one instead.'
        );
    end if;
    if v_default_hk <> p_legal_entity_hk and p_is_default then
        perform admin.fn_save_satellite(
            'gateway.legal_entity_s', jsonb_build_object('legal_entity_hk', v_default_hk), '{"is_default": false}'
        );
    end if;
    return admin.fn_save_satellite(
        'gateway.legal_entity_s', jsonb_build_object('legal_entity_hk', p_legal_entity_hk), p_row || jsonb_build_object(
            'is_default', coalesce(p_is_default, false) or v_default_hk is null or v_default_hk = p_legal_entity_hk
        )
    );
end
$$;

comment on function admin.fn_save_legal_entity(bytea, jsonb, boolean) is
'Loads a version of a seller; moves the default to it, or makes it the default where there is none.';
