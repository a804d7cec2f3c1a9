"""The list and the detail of a tutorial: a ModelViewSet with nested links, a search with LIKE, page numbers."""

from __future__ import annotations

from django.urls import include, path
from rest_framework import serializers, viewsets
from rest_framework.routers import DefaultRouter

from bench.catalogue.tutorial.models import Film, FilmLink


class FilmLinkSerializer(serializers.ModelSerializer):
    class Meta:
        model = FilmLink
        fields = (
            "id", "source", "source_url", "kind", "quality", "language", "licence", "is_active", "last_checked",
        )  # fmt: skip


class FilmSerializer(serializers.ModelSerializer):
    links = serializers.SerializerMethodField()

    class Meta:
        model = Film
        fields = (
            "id", "imdb_id", "title", "year", "type", "poster_url", "synopsis", "created_at", "updated_at", "links",
        )  # fmt: skip

    def get_links(self, film):
        return FilmLinkSerializer(film.links.filter(is_active=True), many=True).data


class FilmViewSet(viewsets.ModelViewSet):
    queryset = Film.objects.all()
    serializer_class = FilmSerializer
    lookup_field = "imdb_id"
    filterset_fields = ["type", "year"]
    search_fields = ["title"]
    ordering_fields = ["title", "year"]


router = DefaultRouter()
router.register("movies", FilmViewSet)
urlpatterns = [path("api/streaming/", include(router.urls))]
