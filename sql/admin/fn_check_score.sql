create or replace function admin.fn_check_score(p_column text, p_score numeric) returns numeric
language plpgsql
stable
set search_path = ''
as $$
begin
    -- NaN is told apart by who saves it.
    if p_score < 0 or p_score > 100 and p_score <> 'NaN' then
        perform admin.fn_refuse_change(
            400, 'score_is_in_range', format('%s is out of range', p_column),
            'Use a number from 0 to 100, or NULL for none; 100 is as good as can be.'
        );
    end if;
    return p_score;
end
$$;

comment on function admin.fn_check_score(text, numeric) is
'The score, if it is one from 0 to 100: rules count what is missing to 100.';
