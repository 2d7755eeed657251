Import-Module Microsoft.Graph.Applications

$servicePrincipalId = "sp-1"
$synchronizationJobId = 'j-1'

<#
  A group and two of its members.
  The two tables of the list are divided by a line break alone.
#>
$params = @{
	parameters = @(
		@{
			ruleId = "6f1f5b0c-93d6-4d1f-8e22-0f6c3a9b7d11#V2"
			subjects = @(
				@{
					objectId = "0d6a3b3e-5b1f-4ad4-b6a7-3a4fce0b9e01"
					objectTypeName = "Group"
					links = @{
						members = @(
							@{
								objectId = "1a7c5a0e-1f8e-4f4b-9b1c-8f4b7a1f0c02"
								objectTypeName = "User"
							}
							@{
								objectId = "2b8d6b1f-2a9f-4a5c-8c2d-9a5c8b2a1d03"
								objectTypeName = "User"
							}
						)
					}
				}
			)
		}
	)
}

New-MgServicePrincipalSynchronizationJobOnDemand -ServicePrincipalId $servicePrincipalId `
    -SynchronizationJobId $synchronizationJobId -BodyParameter $params
