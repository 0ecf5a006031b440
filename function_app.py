"""The entry point for the Functions host: it registers every blueprint, and nothing else."""

import azure.durable_functions as df
import azure.functions as func

from orchestrations.activities import activities
from orchestrations.run_job import orchestrations
from triggers.about_api import about_api
from triggers.feed import feed
from triggers.intake import intake
from triggers.jobs_api import jobs_api
from triggers.reports_api import reports_api
from triggers.timers import timers

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
for blueprint in (jobs_api, reports_api, about_api, intake, feed, timers, orchestrations, activities):
    app.register_functions(blueprint)
