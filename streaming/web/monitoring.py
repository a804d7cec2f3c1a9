"""Views for operators: process health, readiness, Prometheus metrics."""

from __future__ import annotations

import hmac
import ipaddress

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from streaming import statistics
from streaming.storage_checks import storage_problems
from streaming.web import prometheus

PROXY_HEADERS = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via", "X-Forwarded-Proto", "X-Forwarded-Host")


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Whether this process responds; it does not use the database."""
    return JsonResponse({"status": "ok", "version": settings.VERSION})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether requests can be served, which needs the database; the other values are for information.

    "degraded": they can, but something that should help does not work; `problems` says what.
    """
    try:
        totals = statistics.totals()
        age = statistics.run_age_seconds(timezone.now())
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "detail": "The database does not respond."}, status=503)
    problems = storage_problems()
    return JsonResponse(
        {
            "status": "degraded" if problems else "ok",
            "database": "ok",
            "problems": problems,
            "health_run_age_seconds": age,
            "open_jobs": totals.open_jobs,
        }
    )


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics for clients with the token or on loopback; 404 for others."""
    if not (_has_valid_token(request) or _is_direct_loopback(request)):
        raise Http404
    return HttpResponse(
        prometheus.render_metrics(timezone.now()), content_type="text/plain; version=0.0.4; charset=utf-8"
    )


def _has_valid_token(request: HttpRequest) -> bool:
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(settings.METRICS_TOKEN) and hmac.compare_digest(sent.encode(), settings.METRICS_TOKEN.encode())


def _is_direct_loopback(request: HttpRequest) -> bool:
    """Whether a local program sent the request itself; a local proxy adds a header that names its client."""
    if any(name in request.headers for name in PROXY_HEADERS):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
