-- Jobs by name: what runs is code of this list and never text from a table.
create or replace function ops.fn_run_job(p_job_name text) returns void
language plpgsql
set search_path = ''
as $$
begin
    case p_job_name
        when 'forget conversations' then perform ops.fn_forget_conversations();
        when 'forget idempotency keys' then perform ops.fn_forget_idempotency_keys();
        when 'keep partitions' then perform ops.fn_keep_partitions();
        when 'learn quality' then perform ops.fn_learn_quality();
        when 'learn usage' then perform ops.fn_learn_usage();
        when 'measure providers' then perform ops.fn_measure_providers();
        when 'measure speed' then perform ops.fn_measure_speed();
        when 'measure waits' then perform ops.fn_measure_waits();
        when 'mend usage' then perform ops.fn_mend_usage();
        when 'note late requests' then perform ops.fn_note_late_requests();
        when 'order months' then perform ops.fn_order_months();
        when 'roll up spending' then perform ops.fn_roll_up_spending(interval '15 minutes');
        when 'roll up usage' then perform ops.fn_roll_up_usage();
        when 'sweep requests' then perform ops.fn_sweep_requests();
        when 'tell bills' then perform ops.fn_tell_bills();
        when 'tell budgets' then perform ops.fn_tell_budgets();
        when 'tell circuits' then perform ops.fn_tell_circuits();
        when 'write off credits' then perform ops.fn_write_off_credits();
        else raise exception using
            errcode = 'VG400', constraint = 'job_is_known', message = format('There is no job %s.', quote_literal(p_job_name)),
            hint = 'Jobs are listed in ops.job; each has a branch in ops.fn_run_job.';
    end case;
end
$$;

comment on function ops.fn_run_job(text) is 'Runs one job by its name.';

insert into ops.job (job_name, every) values
('forget conversations', '10 minutes'),
('forget idempotency keys', '10 minutes'),
('keep partitions', '1 hour'),
('learn quality', '10 minutes'),
('learn usage', '10 minutes'),
('measure providers', '1 minute'),
('measure speed', '5 seconds'),
('measure waits', '1 minute'),
('mend usage', '10 minutes'),
('note late requests', '10 minutes'),
('order months', '10 seconds'),
('roll up spending', '1 minute'),
('roll up usage', '1 minute'),
('sweep requests', '10 seconds'),
('tell bills', '10 minutes'),
('tell budgets', '5 seconds'),
('tell circuits', '5 seconds'),
('write off credits', '1 minute')
on conflict (job_name) do nothing;
