Import-Module Microsoft.Graph.Beta.Applications

$servicePrincipalId = "sp-1"; $synchronizationJobId = "AD2AADProvisioning.1"

$params = @{
	parameters = @(
		@{
			ruleId = "AD2AADProvisioningV2"
			subjects = @(
				@{
					objectId = "CN=Ann Lee,OU=People,DC=corp,DC=example"
					objectTypeName = "user"
				}
			)
		}
	)
}

New-MgBetaServicePrincipalSynchronizationJobOnDemand -ServicePrincipalId $servicePrincipalId -SynchronizationJobId $synchronizationJobId -BodyParameter $params
