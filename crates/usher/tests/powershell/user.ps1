Import-Module Microsoft.Graph.Applications

# One person, as the subject of one rule.
$params = @{
	parameters = @(
		@{
			subjects = @(
				@{
					objectId = "5d0e1c5b-7a53-4d27-8d46-1c9f8d1b2a10"
					objectTypeName = "User"
				}
			)
			ruleId = "b9b1a2cf-0d4e-4c2e-9d5b-6c2a7e1f0a33"
		}
	)
}

New-MgServicePrincipalSynchronizationJobOnDemand -ServicePrincipalId $servicePrincipalId -SynchronizationJobId $synchronizationJobId -BodyParameter $params
