"""Who asks: access tokens of Entra ID for our own API, how they are got where Outlook offers no way, and acting for the
person at Microsoft Graph. A demonstration on this machine has a sign-in of its own."""
