-- Copies of what other services own, as far as matching and posting need it.
create table remittance.practice (
    tenant_id text not null,
    practice_id text not null,
    npi text not null,
    sequence bigint not null,
    primary key (tenant_id, practice_id)
);
create index practice_by_npi on remittance.practice (tenant_id, npi);
create table remittance.coverage (
    tenant_id text not null,
    coverage_id text not null,
    practice_id text not null,
    patient_id text not null,
    payer_id text not null,
    rank int not null,
    status text not null,
    sequence bigint not null,
    primary key (tenant_id, coverage_id)
);
create index coverage_by_patient on remittance.coverage (tenant_id, patient_id);
create table remittance.claim_state (
    tenant_id text not null,
    claim_id text not null,
    practice_id text not null,
    status text not null,
    sequence bigint not null,
    primary key (tenant_id, claim_id)
);

-- A claim that has been sent; version is the sequence of what we tell about it.
create table remittance.receivable (
    tenant_id text not null,
    claim_id text not null,
    practice_id text not null,
    patient_id text not null,
    encounter_id text not null,
    provider_id text not null,
    payer_id text not null,
    service_date date not null,
    first_submitted_on date not null,
    version bigint not null default 0,
    created_at timestamptz not null,
    primary key (tenant_id, claim_id)
);
create index receivable_by_patient on remittance.receivable (tenant_id, patient_id);
create table remittance.submission (
    tenant_id text not null,
    id text not null,
    claim_id text not null,
    practice_id text not null,
    payer_id text not null,
    rank int not null,
    attempt int not null,
    frequency text not null,
    pcn text not null,
    pcn_key text not null,
    member_key text,
    charge_cents bigint not null check (charge_cents >= 0),
    submitted_on date not null,
    primary key (tenant_id, id),
    unique (tenant_id, pcn)
);
create index submission_by_claim on remittance.submission (tenant_id, claim_id);
create index submission_by_pcn on remittance.submission (tenant_id, pcn_key);
create index submission_by_member on remittance.submission (tenant_id, member_key, charge_cents);
create table remittance.submission_line (
    tenant_id text not null,
    submission_id text not null,
    line_id text not null,
    practice_id text not null,
    position int not null,
    control text not null,
    procedure text not null,
    modifiers text[] not null,
    service_date date not null,
    charge_cents bigint not null check (charge_cents >= 0),
    units int not null,
    primary key (tenant_id, submission_id, line_id)
);

-- A service line and its charge, accounted for. The database holds the identity of the buckets too.
create table remittance.line (
    tenant_id text not null,
    line_id text not null,
    claim_id text not null,
    practice_id text not null,
    patient_id text not null,
    position int not null,
    code_family text not null,
    service_date date not null,
    billed_cents bigint not null default 0 check (billed_cents >= 0),
    credits_cents bigint not null default 0 check (credits_cents >= 0),
    payer_paid_cents bigint not null default 0 check (payer_paid_cents >= 0),
    patient_paid_cents bigint not null default 0 check (patient_paid_cents >= 0),
    contractual_cents bigint not null default 0 check (contractual_cents >= 0),
    written_off_cents bigint not null default 0 check (written_off_cents >= 0),
    withheld_cents bigint not null default 0 check (withheld_cents >= 0),
    patient_cents bigint not null default 0 check (patient_cents >= 0),
    denied_open_cents bigint not null default 0 check (denied_open_cents >= 0),
    in_flight_cents bigint not null default 0 check (in_flight_cents >= 0),
    patient_written_off_cents bigint not null default 0 check (patient_written_off_cents between 0 and written_off_cents),
    patient_write_off_asked_cents bigint not null default 0 check (patient_write_off_asked_cents >= 0),
    primary key (tenant_id, line_id),
    constraint line_is_accounted_for check (
        billed_cents + credits_cents = payer_paid_cents + patient_paid_cents + contractual_cents + written_off_cents
            + withheld_cents + patient_cents + denied_open_cents + in_flight_cents
    )
);
create index line_by_claim on remittance.line (tenant_id, claim_id, position);
create index line_by_patient on remittance.line (tenant_id, patient_id, service_date);

create table remittance.journal (
    tenant_id text not null,
    id text not null,
    practice_id text,
    kind text not null,
    claim_id text,
    patient_id text,
    era_id text,
    posting_id text,
    deposit_id text,
    reverses text,
    posted_on date not null,
    created_at timestamptz not null,
    primary key (tenant_id, id)
);
create index journal_by_claim on remittance.journal (tenant_id, claim_id, created_at);
create index journal_by_posting on remittance.journal (tenant_id, posting_id);
create table remittance.entry (
    tenant_id text not null,
    journal_id text not null,
    n int not null,
    practice_id text,
    account text not null,
    amount_cents bigint not null check (amount_cents <> 0),
    line_id text,
    patient_id text,
    payer_id text,
    reference text,
    primary key (tenant_id, journal_id, n),
    foreign key (tenant_id, journal_id) references remittance.journal (tenant_id, id)
);
create index entry_by_account on remittance.entry (tenant_id, account) include (amount_cents);
create index entry_by_line on remittance.entry (tenant_id, line_id) where line_id is not null;

create function remittance.journal_sums_to_zero() returns trigger language plpgsql as $$
begin
    if exists (
        select 1 from remittance.entry where tenant_id = new.tenant_id and journal_id = new.journal_id
        group by grouping sets ((), (line_id)) having sum(amount_cents) <> 0 and (grouping(line_id) = 1 or line_id is not null)
    ) or not exists (
        select 1 from remittance.entry where tenant_id = new.tenant_id and journal_id = new.journal_id
    ) then
        raise exception 'journal % does not sum to zero', new.journal_id using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;
create constraint trigger journal_sums_to_zero after insert on remittance.entry
    deferrable initially deferred for each row execute function remittance.journal_sums_to_zero();

create table remittance.patient_account (
    tenant_id text not null,
    patient_id text not null,
    practice_id text not null,
    received_cents bigint not null default 0 check (received_cents >= 0),
    balance_cents bigint not null default 0 check (balance_cents >= 0),
    unapplied_cents bigint not null default 0 check (unapplied_cents >= 0),
    version bigint not null default 0,
    primary key (tenant_id, patient_id)
);
create table remittance.patient_money (
    tenant_id text not null,
    id text not null,
    practice_id text not null,
    patient_id text not null,
    encounter_id text,
    kind text not null,
    amount_cents bigint not null check (amount_cents <> 0),
    method text,
    reference text,
    received_on date not null,
    created_at timestamptz not null,
    primary key (tenant_id, id)
);
create index patient_money_by_patient on remittance.patient_money (tenant_id, patient_id, created_at);
create table remittance.visit (
    tenant_id text not null,
    encounter_id text not null,
    practice_id text not null,
    patient_id text not null,
    collected_cents bigint not null check (collected_cents >= 0),
    revision int not null,
    primary key (tenant_id, encounter_id)
);
create index visit_by_patient on remittance.visit (tenant_id, patient_id);
create index patient_money_by_encounter on remittance.patient_money (tenant_id, encounter_id);
