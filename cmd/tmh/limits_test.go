package main

import (
	"testing"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/config"
)

func TestConfiguredLimitsAreTheDefaults(t *testing.T) {
	if got, want := *limitsOf(config.Default().Limits), api.DefaultLimits(); got != want {
		t.Errorf("configs/tmh.yaml says %+v, package api %+v", got, want)
	}
}
