package api

// Statuses is the map for the test that compares it with protocol's codes.
var Statuses = statuses

// Routes is the table of addresses, for the tests that walk it.
var Routes = routes
