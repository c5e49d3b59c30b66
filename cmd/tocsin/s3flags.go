package main

import (
	"errors"
	"fmt"

	"tocsin/config"
	"tocsin/internal/httpx"
)

// addObjectStorageFlags defines how rule files in object storage are reached.
func (f *flags) addObjectStorageFlags() {
	f.topic = topicRules
	o := &f.options.Rules.Objects
	f.string(&o.CredentialsFile, "s3.credsFilePath", "", "File with the credentials for rules in object storage: a shared credentials file of AWS for s3://, the JSON of a service account for gs://; where the tools of AWS and Google look if it is not set")
	f.string(&o.ConfigFile, "s3.configFilePath", "", "Shared configuration file of AWS; where its tools look if it is not set")
	f.string(&o.Profile, "s3.configProfile", "", "Profile in the files of AWS; AWS_PROFILE, AWS_DEFAULT_PROFILE or default if it is not set")
	f.string(&o.Endpoint, "s3.customEndpoint", "", "Address of a server with the protocol of S3, such as http://minio:9000; AWS if it is not set")
	f.bool(&o.PathStyle, "s3.forcePathStyle", true, "Name the bucket in the path of -s3.customEndpoint; otherwise before its host")
}

// checkObjectStorage refuses what cannot be the place of rule files.
func (f *flags) checkObjectStorage() error {
	var errs []error
	if endpoint := f.options.Rules.Objects.Endpoint; endpoint != "" {
		u, err := httpx.ParseURL(endpoint)
		if err == nil && (u.User != nil || u.RawQuery != "") {
			// They would be shown with the flags.
			err = errors.New("must have neither user nor query: credentials belong in the file of -s3.credsFilePath")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("-s3.customEndpoint: %w", err))
		}
	}
	for _, pattern := range f.ruleFiles.items {
		if !config.IsLocation(pattern) {
			continue
		}
		if _, err := config.ParseLocation(pattern); err != nil {
			errs = append(errs, fmt.Errorf("-rule: %w", err))
		}
	}
	return errors.Join(errs...)
}
