"""One night of a job, with Airflow's BashOperator. The worker keeps /srv/labels (the jobs and their state) from night to night."""

from datetime import datetime, timedelta

from airflow import DAG
from airflow.operators.bash import BashOperator

with DAG(
    dag_id="rowmill_tickets",
    schedule="17 3 * * *",
    start_date=datetime(2026, 11, 1),
    catchup=False,
    max_active_runs=1,
) as dag:
    # The key comes from the worker's environment. An exit code other than 0 fails the task; 7 (batches are pending) is retried in an hour.
    run = BashOperator(
        task_id="run",
        cwd="/srv/labels",
        bash_command="rowmill run jobs/tickets.yaml --yes --if-running wait --wait 23h --progress plain",
        append_env=True,
        execution_timeout=timedelta(hours=24),
        retries=2,
        retry_delay=timedelta(hours=1),
    )
    clean = BashOperator(
        task_id="clean",
        cwd="/srv/labels",
        bash_command="rowmill clean jobs/tickets.yaml --remote --yes",
        append_env=True,
    )
    run >> clean
