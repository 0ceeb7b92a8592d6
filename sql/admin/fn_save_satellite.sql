-- What every trigger of admin saves through: the one loader, the SQL user as record source, and what the tables' checks
-- refuse told as sentences.
create or replace function admin.fn_save_satellite(
    p_satellite regclass, p_key jsonb, p_payload jsonb, p_not_hashed text[] default '{}'
) returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_constraint text;
    v_column text;
    v_sentence record;
begin
    -- Larger than every number: as a budget it would be no limit, as a price it would poison every sum.
    select a.attname into v_column
    from pg_catalog.pg_attribute as a
    where
        a.attrelid = p_satellite and a.atttypid = 'pg_catalog.numeric'::regtype and p_payload ->> a.attname = 'NaN'
    limit 1;
    if v_column is not null then
        perform admin.fn_refuse_change(
            400, 'values_are_numbers', format('%s is not a number', v_column), 'Use an amount, or NULL for none.'
        );
    end if;
    return util.fn_load_satellite(p_satellite, p_key, p_payload, session_user, p_not_hashed);
exception
    when check_violation then
        get stacked diagnostics v_constraint = constraint_name;
        select e.* into v_sentence from admin.fn_explain_constraint(v_constraint) as e;
        perform admin.fn_refuse_change(400, v_constraint, v_sentence.message, v_sentence.hint);
    when unique_violation then
        get stacked diagnostics v_constraint = constraint_name;
        select e.* into v_sentence from admin.fn_explain_constraint(v_constraint) as e;
        perform admin.fn_refuse_change(409, v_constraint, v_sentence.message, v_sentence.hint);
    when not_null_violation then
        get stacked diagnostics v_column = column_name;
        perform admin.fn_refuse_change(
            400, v_column || '_is_given', format('%s cannot be NULL', v_column),
            'Give it a value, or leave it as it was.'
        );
    when string_data_right_truncation then
        perform admin.fn_refuse_change(
            400, 'texts_fit', 'A text is longer than its column', 'Use a shorter one; names hold 100 to 255 characters.'
        );
    when numeric_value_out_of_range then
        perform admin.fn_refuse_change(
            400, 'numbers_fit', 'A number is larger than its column holds',
            'Use a smaller one; amounts go up to 9999999999 USD.'
        );
end
$$;

comment on function admin.fn_save_satellite(regclass, jsonb, jsonb, text[]) is
'Loads a satellite row in the name of the SQL user; true when a version was added. Refusals are sentences.';
