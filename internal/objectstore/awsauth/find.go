package awsauth

import (
	"cmp"
	"context"
	"fmt"

	"tocsin/internal/httpx"
)

// maxSources bounds how many profiles may refer to one another in a row.
const maxSources = 8

// find looks for credentials in the order of AWS' tools: a profile that was asked
// for by option, the environment, the profile, and what the machine offers.
func (o *Options) find(ctx context.Context) (Credentials, error) {
	if o.Profile == "" {
		if c := o.fromEnvironment(); c.AccessKeyID != "" {
			return c, nil
		}
		if file := o.Env("AWS_WEB_IDENTITY_TOKEN_FILE"); file != "" {
			return o.assumeByToken(ctx, file, role{
				arn: o.Env("AWS_ROLE_ARN"), session: o.Env("AWS_ROLE_SESSION_NAME"),
			})
		}
	}
	all, err := o.readProfiles()
	if err != nil {
		return Credentials{}, err
	}
	name, asked := o.profileName()
	if _, err := all.named(name, asked); err != nil {
		return Credentials{}, err
	}
	return o.fromProfile(ctx, all, name, maxSources)
}

func (o *Options) fromEnvironment() Credentials {
	c := Credentials{
		AccessKeyID: cmp.Or(o.Env("AWS_ACCESS_KEY_ID"), o.Env("AWS_ACCESS_KEY")),
		SecretKey:   httpx.Secret(cmp.Or(o.Env("AWS_SECRET_ACCESS_KEY"), o.Env("AWS_SECRET_KEY"))),
		Token:       httpx.Secret(o.Env("AWS_SESSION_TOKEN")),
	}
	if c.AccessKeyID == "" || c.SecretKey == "" {
		return Credentials{}
	}
	return c
}

// fromProfile returns the credentials of a profile: its own, or those of the role
// that it has with the credentials it names.
func (o *Options) fromProfile(ctx context.Context, all profiles, name string, left int) (Credentials, error) {
	if left == 0 {
		return Credentials{}, fmt.Errorf("profile %q: too many profiles refer to one another", name)
	}
	p := all[name]
	if file := p["web_identity_token_file"]; file != "" && p["source_profile"] == "" && !p.static() {
		return o.assumeByToken(ctx, file, p.role())
	}
	c, err := o.ownOf(ctx, all, name, left)
	if err != nil || p["role_arn"] == "" {
		return c, err
	}
	if p["mfa_serial"] != "" {
		return Credentials{}, fmt.Errorf("profile %q: its role needs a code of a device (mfa_serial), which nobody is there to enter", name)
	}
	return o.assume(ctx, c, p.role())
}

// ownOf returns the credentials of a profile before it takes a role.
func (o *Options) ownOf(ctx context.Context, all profiles, name string, left int) (Credentials, error) {
	p := all[name]
	source := p["source_profile"]
	switch {
	case source != "" && source != name:
		if _, err := all.named(source, true); err != nil {
			return Credentials{}, fmt.Errorf("profile %q: %w", name, err)
		}
		return o.fromProfile(ctx, all, source, left-1)
	case p.static():
		return Credentials{
			AccessKeyID: p["aws_access_key_id"],
			SecretKey:   httpx.Secret(p["aws_secret_access_key"]),
			Token:       httpx.Secret(p["aws_session_token"]),
		}, nil
	case p["credential_source"] != "":
		return o.fromNamed(ctx, name, p["credential_source"])
	case p["sso_session"] != "" || p["sso_start_url"] != "" || p["login_session"] != "":
		return Credentials{}, fmt.Errorf("profile %q signs in with a browser, which a daemon cannot: "+
			"use keys, a role, or credential_process = aws configure export-credentials --format process --profile %s", name, name)
	case p["credential_process"] != "":
		return fromProgram(ctx, p["credential_process"])
	}
	return o.fromMachine(ctx, name)
}

// fromNamed returns the credentials of one source by its name in profiles.
func (o *Options) fromNamed(ctx context.Context, profile, source string) (Credentials, error) {
	switch source {
	case "Environment":
		if c := o.fromEnvironment(); c.AccessKeyID != "" {
			return c, nil
		}
		return Credentials{}, fmt.Errorf("profile %q: the environment has no credentials", profile)
	case "EcsContainer":
		return o.fromContainer(ctx)
	case "Ec2InstanceMetadata":
		return o.fromInstance(ctx)
	}
	return Credentials{}, fmt.Errorf("profile %q: credential_source %q is none of Environment, EcsContainer and Ec2InstanceMetadata", profile, source)
}

// fromMachine asks the metadata service of the container or instance.
func (o *Options) fromMachine(ctx context.Context, profile string) (Credentials, error) {
	if o.inContainer() {
		return o.fromContainer(ctx)
	}
	c, err := o.fromInstance(ctx)
	if err != nil {
		return c, fmt.Errorf("none in the environment or in profile %q, and no instance to ask: %w", profile, err)
	}
	return c, nil
}

// static reports whether a profile has keys of its own.
func (p profile) static() bool {
	return p["aws_access_key_id"] != "" && p["aws_secret_access_key"] != ""
}

func (p profile) role() role {
	return role{
		arn: p["role_arn"], session: p["role_session_name"],
		external: p["external_id"], seconds: p["duration_seconds"],
	}
}
