"""Scrapy meets Django: crawls of a job, discovery, and saving what they yield."""
