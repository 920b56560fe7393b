-- After a backup has been restored, before anything starts: no number that a clearinghouse or a payer may have seen
-- since the backup was made is ever given out again. By a superuser, whom row-level security does not hold back.
-- A database that holds neither of these services has nothing to raise.
do $$
begin
    if to_regclass('claims.counter') is not null then
        update claims.counter set last = last + 100000;
    end if;
    if to_regclass('eligibility.control_number') is not null then
        update eligibility.control_number set last = last + 100000;
    end if;
end $$;
