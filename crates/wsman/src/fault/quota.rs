//! The quotas behind faults: their names, and the commands that raise them.

use super::FaultCode;

/// A bound that a Windows service sets to what its clients use.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Quota {
    /// `MaxShellsPerUser` of `winrm/config/winrs`, 30 by default.
    ShellsPerUser,
    /// `MaxConcurrentUsers` of `winrm/config/winrs`, 10 by default.
    ConcurrentUsers,
    /// `MaxConcurrentOperationsPerUser` of `winrm/config/service`, 1500 by default. Commands of `cmd` shells count until
    /// their shell is deleted on some hosts.
    OperationsPerUser,
    /// `MaxConcurrentOperations`: the service is busy with as many requests as it takes at once.
    Operations,
    /// `MaxProcessesPerShell`, 25 by default, or `MaxMemoryPerShellMB`, 1024 by default, of `winrm/config/winrs`: Windows
    /// bounds both by a job object, and says only that the quota does not allow another process.
    ProcessesOrMemoryPerShell,
    /// `MaxMemoryPerShellMB` of `winrm/config/winrs`, or the memory of the host.
    MemoryPerShell,
    /// `MaxShellsPerUser` of a plug-in.
    PluginShellsPerUser,
    /// `MaxConcurrentUsers` of a plug-in.
    PluginConcurrentUsers,
    /// `MaxShells` of a plug-in.
    PluginShells,
    /// `MaxConcurrentOperations` of a plug-in.
    PluginOperations,
    /// `MaxConcurrentOperationsPerUser` of a plug-in.
    PluginOperationsPerUser,
    /// `MaxConcurrentCommandsPerShell` of a plug-in.
    PluginCommandsPerShell,
    /// Requests of this user in a time; no setting of `winrm/config`.
    UserRate,
    /// Requests of all users in a time; no setting of `winrm/config`.
    SystemRate,
}

impl Quota {
    /// The setting, as Windows calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ShellsPerUser | Self::PluginShellsPerUser => "MaxShellsPerUser",
            Self::ConcurrentUsers | Self::PluginConcurrentUsers => "MaxConcurrentUsers",
            Self::OperationsPerUser | Self::PluginOperationsPerUser => "MaxConcurrentOperationsPerUser",
            Self::Operations | Self::PluginOperations => "MaxConcurrentOperations",
            Self::ProcessesOrMemoryPerShell => "MaxProcessesPerShell or MaxMemoryPerShellMB",
            Self::MemoryPerShell => "MaxMemoryPerShellMB",
            Self::PluginShells => "MaxShells",
            Self::PluginCommandsPerShell => "MaxConcurrentCommandsPerShell",
            Self::UserRate => "requests of this user per time",
            Self::SystemRate => "requests per time",
        }
    }

    /// The command that raises it, to be run on the host in an elevated PowerShell; `None` where there is no setting.
    pub const fn raise_command(self) -> Option<&'static str> {
        Some(match self {
            Self::ShellsPerUser => r"Set-Item WSMan:\localhost\Shell\MaxShellsPerUser 100",
            Self::ConcurrentUsers => r"Set-Item WSMan:\localhost\Shell\MaxConcurrentUsers 50",
            Self::OperationsPerUser => {
                r"Set-Item WSMan:\localhost\Service\MaxConcurrentOperationsPerUser 4000"
            }
            Self::ProcessesOrMemoryPerShell => {
                r"Set-Item WSMan:\localhost\Shell\MaxProcessesPerShell 100; Set-Item WSMan:\localhost\Shell\MaxMemoryPerShellMB 2048"
            }
            Self::MemoryPerShell => r"Set-Item WSMan:\localhost\Shell\MaxMemoryPerShellMB 2048",
            Self::PluginShellsPerUser => {
                r"Set-Item WSMan:\localhost\Plugin\microsoft.powershell\Quotas\MaxShellsPerUser 100; Restart-Service WinRM"
            }
            Self::PluginConcurrentUsers => {
                r"Set-Item WSMan:\localhost\Plugin\microsoft.powershell\Quotas\MaxConcurrentUsers 50; Restart-Service WinRM"
            }
            Self::PluginShells => {
                r"Set-Item WSMan:\localhost\Plugin\microsoft.powershell\Quotas\MaxShells 100; Restart-Service WinRM"
            }
            Self::PluginOperationsPerUser => {
                r"Set-Item WSMan:\localhost\Plugin\microsoft.powershell\Quotas\MaxConcurrentOperationsPerUser 4000; Restart-Service WinRM"
            }
            Self::PluginCommandsPerShell => {
                r"Set-Item WSMan:\localhost\Plugin\microsoft.powershell\Quotas\MaxConcurrentCommandsPerShell 2000; Restart-Service WinRM"
            }
            Self::Operations | Self::PluginOperations | Self::UserRate | Self::SystemRate => return None,
        })
    }
}

impl FaultCode {
    /// The quota that is used up, where the number says so. Texts are in the host's language and are not looked at.
    pub const fn quota(self) -> Option<Quota> {
        Some(match self {
            Self::MAX_SHELLS_FOR_USER => Quota::ShellsPerUser,
            Self::MAX_SHELL_USERS => Quota::ConcurrentUsers,
            Self::MAX_OPERATIONS_FOR_USER => Quota::OperationsPerUser,
            Self::QUOTA_LIMIT => Quota::Operations,
            Self::NOT_ENOUGH_QUOTA => Quota::ProcessesOrMemoryPerShell,
            Self::OUT_OF_MEMORY => Quota::MemoryPerShell,
            Self::PLUGIN_MAX_SHELLS_FOR_USER => Quota::PluginShellsPerUser,
            Self::PLUGIN_MAX_USERS => Quota::PluginConcurrentUsers,
            Self::PLUGIN_MAX_SHELLS => Quota::PluginShells,
            Self::PLUGIN_MAX_OPERATIONS => Quota::PluginOperations,
            Self::PLUGIN_MAX_OPERATIONS_FOR_USER => Quota::PluginOperationsPerUser,
            Self::PLUGIN_MAX_COMMANDS_PER_SHELL => Quota::PluginCommandsPerShell,
            Self::USER_THROTTLED => Quota::UserRate,
            Self::SYSTEM_THROTTLED => Quota::SystemRate,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_that_is_about_a_quota_names_it() {
        for code in FaultCode::KNOWN.iter().filter(|code| code.quota().is_some()) {
            let quota = code.quota().unwrap();
            assert!(!quota.name().is_empty());
            if let Some(command) = quota.raise_command() {
                assert!(command.starts_with(r"Set-Item WSMan:\localhost\"), "{command}");
                assert!(quota.name().split(" or ").all(|name| command.contains(name)), "{command}");
            }
        }
        assert_eq!(FaultCode(0x8033_81a5).quota(), Some(Quota::ShellsPerUser));
        assert_eq!(FaultCode(0x8033_81a6).quota(), Some(Quota::OperationsPerUser));
        assert_eq!(FaultCode::TIMED_OUT.quota(), None);
    }
}
