create or replace function ops.fn_move_peak(p_average float8, p_measured float8, p_passed interval) returns float8
language sql immutable
return case
    when p_average is null or p_measured >= p_average then coalesce(p_measured, p_average)
    when p_measured is null then p_average
    else p_measured + (p_average - p_measured) * power(0.5, extract(epoch from p_passed)::float8 / 40)
end;

comment on function ops.fn_move_peak(float8, float8, interval) is
'A peak-sensitive moving average after one more measurement: up at once, down by half every 40 seconds.';
