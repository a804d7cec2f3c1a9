"""The Scrapy project: reads sources, knows no Django and no catalogue."""
