"""Remove internal names and addresses from the errors of jobs and the reasons of runs, which are public."""

import re

from django.db import migrations
from django.db.models import Q, TextField
from django.db.models.functions import Cast

REFUSED_ADDRESS = 'A page leads to an address that we do not open'
NAMES_AN_ADDRESS = re.compile(
    r'\S+ (?:leads to \S+, which is not a public address|is not a public address|is a name inside a private network)'
)
SIGNS = ('is not a public address', 'is a name inside a private network', 'Links could not be saved: ')
NAMES_A_PORTAL = re.compile(r'nearly all hosts (?:redirect|led) to \S+:')
HIDDEN_PORTAL = 'nearly all hosts redirect to one address:'
DATABASE_ERROR = re.compile(r'(Links could not be saved): .+', re.DOTALL)
BATCH_SIZE = 500
MAX_ERROR_LENGTH, MAX_REASON_LENGTH = 300, 500


def without_addresses(error):
    """The sentence may be longer than the name, and PostgreSQL refuses what does not fit into a column."""
    return DATABASE_ERROR.sub(r'\1', NAMES_AN_ADDRESS.sub(REFUSED_ADDRESS, error))


def public_results(sources):
    """The results of the sources; what is no result, such as a row written by hand, is left as it is."""
    if not isinstance(sources, list):
        return sources
    return [
        {**row, 'error': without_addresses(row['error'])}
        if isinstance(row, dict) and isinstance(row.get('error'), str)
        else row
        for row in sources
    ]


def hide_addresses(apps, schema_editor):
    jobs = apps.get_model('streaming', 'ScrapeJob').objects.using(schema_editor.connection.alias)
    affected = Q()
    for sign in SIGNS:
        affected |= Q(error__contains=sign) | Q(text__contains=sign)
    rows = jobs.annotate(text=Cast('sources', TextField())).filter(affected).order_by('pk').values_list('pk', flat=True)
    ids = list(rows)
    for start in range(0, len(ids), BATCH_SIZE):
        batch = list(jobs.filter(pk__in=ids[start : start + BATCH_SIZE]).only('error', 'sources'))
        for job in batch:
            job.error = without_addresses(job.error)[:MAX_ERROR_LENGTH]
            job.sources = public_results(job.sources)
        jobs.bulk_update(batch, ['error', 'sources'])


def hide_portals(apps, schema_editor):
    runs = apps.get_model('streaming', 'HealthRun').objects.using(schema_editor.connection.alias)
    for run in runs.filter(reason__contains='nearly all hosts ').only('reason'):
        runs.filter(pk=run.pk).update(reason=NAMES_A_PORTAL.sub(HIDDEN_PORTAL, run.reason)[:MAX_REASON_LENGTH])


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0011_outage_of_a_host'),
    ]

    operations = [
        migrations.RunPython(hide_addresses, migrations.RunPython.noop),
        migrations.RunPython(hide_portals, migrations.RunPython.noop),
    ]
