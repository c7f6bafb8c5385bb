package compose

import (
	"reflect"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

// fields says of each field of compose-go's types that may bring something into a
// container whether it is read. What is not brings nothing: it says where, when and on
// what a container runs.
var fields = []struct {
	of             reflect.Type
	read, harmless string
}{
	{
		reflect.TypeFor[types.ServiceConfig](),
		"Name Deploy Restart Provider Extends PreStart PostStart PreStop ContainerSpec WorkloadSpec Extensions",
		// Of Develop the commands that a developer's watch runs are a gap that the
		// documentation names.
		"Profiles Develop Scale Attach ContainerName ExternalLinks Links Net",
	},
	{
		reflect.TypeFor[types.ContainerSpec](),
		"Annotations Command Configs Entrypoint Environment EnvFiles Image Labels LabelFiles Secrets Volumes",
		`BlkioConfig CapAdd CapDrop CgroupParent Cgroup CPUCount CPUPercent CPUPeriod CPUQuota CPURTPeriod CPURTRuntime
		CPUS CPUSet CPUShares CredentialSpec DeviceCgroupRules Devices DNS DNSOpts DNSSearch DomainName ExtraHosts GroupAdd
		Gpus Hostname Init Ipc Isolation CustomLabels Logging LogDriver LogOpt MemLimit MemReservation MemSwapLimit
		MemSwappiness MacAddress Models NetworkMode Networks OomKillDisable OomScoreAdj Pid PidsLimit Platform Privileged
		PullPolicy PullRefreshAfter ReadOnly Runtime SecurityOpt ShmSize StopGracePeriod StopSignal StorageOpt Sysctls Tmpfs
		Ulimits Umask UseAPISocket User UserNSMode Uts VolumeDriver VolumesFrom WorkingDir`,
	},
	{reflect.TypeFor[types.WorkloadSpec](), "Build DependsOn HealthCheck", "Dockerfile Expose Ports StdinOpen Tty"},
	{reflect.TypeFor[types.HealthCheckConfig](), "Test Disable", "Timeout Interval Retries StartPeriod StartInterval Extensions"},
	{reflect.TypeFor[types.ServiceHook](), "Command Environment", "User Privileged WorkingDir Extensions"},
	{reflect.TypeFor[types.PreStartHook](), "ContainerSpec", "PerReplica Extensions"},
	{
		reflect.TypeFor[types.BuildConfig](), "Args Labels DockerfileInline Secrets",
		`Context Dockerfile Entitlements SSH CacheFrom CacheTo NoCache NoCacheFilter AdditionalContexts Pull ExtraHosts
		Isolation Network Target ShmSize Tags Ulimits Platforms Privileged Provenance SBOM Extensions`,
	},
	{reflect.TypeFor[types.DeployConfig](), "Labels RestartPolicy", "Mode Replicas UpdateConfig RollbackConfig Resources Placement EndpointMode Extensions"},
}

// TestFields fails when a new version of compose-go has a field that nobody decided on.
func TestFields(t *testing.T) {
	for _, f := range fields {
		decided := map[string]bool{}
		for _, name := range strings.Fields(f.read + " " + f.harmless) {
			decided[name] = true
		}
		for i := range f.of.NumField() {
			if name := f.of.Field(i).Name; !decided[name] {
				t.Errorf("%s.%s: decide whether it brings something into a container", f.of.Name(), name)
			}
			delete(decided, f.of.Field(i).Name)
		}
		for name := range decided {
			t.Errorf("%s has no field %s", f.of.Name(), name)
		}
	}
}
