package api

// Statuses is the map for the test that compares it with protocol's codes.
var Statuses = statuses
