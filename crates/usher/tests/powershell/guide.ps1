#Requires -Version 5.1
Import-Module Microsoft.Graph.Applications -ErrorAction Stop
Connect-MgGraph -TenantId "contoso.example" -Scopes "Synchronization.ReadWrite.All", "Application.Read.All" -NoWelcome

$subject = [ordered]@{
    ObjectId       = "u-1"     # keys in the spelling of guides
    ObjectTypeName = "User"
}
$call = @{
    ApplicationId        = 'app-1'
    SynchronizationJobId = "j-1"
    Parameters           = @(@{ RuleId = "r-1"; Subjects = @($subject) })
}

$r = New-MgApplicationSynchronizationJobOnDemand @call -ResponseHeadersVariable headers
$r | Format-List
($r.Key | ConvertFrom-Json).result
$r | ConvertTo-Json -Compress
$headers
